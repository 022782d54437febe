/** Containers and the instances of functions that run in them. */
@Export
@Version("1.0.0")
@NullMarked
package io.weir.engine;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

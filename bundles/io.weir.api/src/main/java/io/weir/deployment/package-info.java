/** Functions that arrive as packages, and what becomes of them. */
@Export
@Version("1.0.0")
@NullMarked
package io.weir.deployment;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

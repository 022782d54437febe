/** The gateway's administration, by whatever way requests come. */
@Export
@Version("1.0.0")
@NullMarked
package io.weir.admin;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

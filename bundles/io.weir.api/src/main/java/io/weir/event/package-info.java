/** Who the gateway is, and what happens in it, as it happens. */
@Export
@Version("1.0.0")
@NullMarked
package io.weir.event;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

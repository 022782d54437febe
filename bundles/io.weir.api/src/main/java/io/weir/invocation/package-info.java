/** What the gateway promises about an event that arrived, and how it ended. */
@Export
@Version("1.0.0")
@NullMarked
package io.weir.invocation;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

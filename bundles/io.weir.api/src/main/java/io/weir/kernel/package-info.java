/** What the kernel does for the gateway: leads connections to instances, counts what they do, and tells what happens. */
@Export
@Version("1.0.0")
@NullMarked
package io.weir.kernel;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** What is expected to arrive, so that it can be prepared for. */
@Export
@Version("1.0.0")
@NullMarked
package io.weir.forecast;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/** Where the MQTT broker of this gateway is. */
@Export
@Version("1.0.0")
@NullMarked
package io.weir.broker;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

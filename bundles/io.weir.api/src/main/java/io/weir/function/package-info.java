/** What a function is: its name, image, triggers, limits and scaling, and who knows them all. */
@Export
@Version("1.0.0")
@NullMarked
package io.weir.function;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

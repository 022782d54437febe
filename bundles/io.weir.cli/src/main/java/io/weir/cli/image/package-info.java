/** Function images without a registry: runtime root file systems and build contexts. */
@NullMarked
package io.weir.cli.image;

import org.jspecify.annotations.NullMarked;

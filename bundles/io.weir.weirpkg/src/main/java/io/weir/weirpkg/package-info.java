/** Function packages: a weir.yaml, what it names, and image archives in one file that is checked while it arrives. */
@NullMarked
package io.weir.weirpkg;

import org.jspecify.annotations.NullMarked;

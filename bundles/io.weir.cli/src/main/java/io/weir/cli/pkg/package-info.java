/** Function packages on this machine: made, signed, checked. */
@NullMarked
package io.weir.cli.pkg;

import org.jspecify.annotations.NullMarked;

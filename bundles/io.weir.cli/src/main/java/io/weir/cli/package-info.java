/** The {@code weir} command: one class per verb, each a thin layer over the packages below. */
@NullMarked
package io.weir.cli;

import org.jspecify.annotations.NullMarked;

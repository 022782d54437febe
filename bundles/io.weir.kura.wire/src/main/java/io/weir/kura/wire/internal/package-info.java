/** A box for Kura's wires that calls a function. */
@NullMarked
package io.weir.kura.wire.internal;

import org.jspecify.annotations.NullMarked;

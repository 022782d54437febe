/** Gives functions a state of their own: reached by HTTP, kept in the journal together with what they answer. */
@NullMarked
package io.weir.state.internal;

import org.jspecify.annotations.NullMarked;

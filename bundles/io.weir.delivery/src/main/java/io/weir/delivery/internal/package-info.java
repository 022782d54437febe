/** Brings accepted events to their end: in order, again where that helps, into the outbox or the dead letters. */
@NullMarked
package io.weir.delivery.internal;

import org.jspecify.annotations.NullMarked;

/** The only one to know Eclipse Kura, beside the wire component: offers Weir to it, and it to Weir. */
@NullMarked
package io.weir.kura.internal;

import org.jspecify.annotations.NullMarked;

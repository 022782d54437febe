/** Keeps passwords encrypted with a key of the gateway's own. */
@NullMarked
package io.weir.secrets.internal;

import org.jspecify.annotations.NullMarked;

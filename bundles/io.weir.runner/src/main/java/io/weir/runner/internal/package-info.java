/** Spare containers of each language, and the handlers that are loaded into them. */
@NullMarked
package io.weir.runner.internal;

import org.jspecify.annotations.NullMarked;

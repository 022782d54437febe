/** Service addresses of functions: holds connections until an instance is there, and carries those that need it. */
@NullMarked
package io.weir.activator.internal;

import org.jspecify.annotations.NullMarked;

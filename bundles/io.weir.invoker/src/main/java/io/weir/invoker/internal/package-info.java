/** Takes invocations to their outcome: lease an instance, call it, retry what may be retried. */
@NullMarked
package io.weir.invoker.internal;

import org.jspecify.annotations.NullMarked;

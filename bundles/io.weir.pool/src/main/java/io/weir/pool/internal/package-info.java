/** Instances of functions: started when somebody waits, shared while they run, stopped when idle. */
@NullMarked
package io.weir.pool.internal;

import org.jspecify.annotations.NullMarked;

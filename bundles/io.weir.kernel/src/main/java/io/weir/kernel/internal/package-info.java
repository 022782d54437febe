/** eBPF programs and packet filter rules: loaded, attached, fed, read out and removed. */
@NullMarked
package io.weir.kernel.internal;

import org.jspecify.annotations.NullMarked;

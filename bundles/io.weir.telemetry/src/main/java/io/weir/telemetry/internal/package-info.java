/** Keeps the recent events, counts them, and tells when the gateway is ready. */
@NullMarked
package io.weir.telemetry.internal;

import org.jspecify.annotations.NullMarked;

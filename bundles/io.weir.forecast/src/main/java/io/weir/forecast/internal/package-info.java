/**
 * Expects arrivals: many forecasters side by side, each scored by what it would have cost, the cheapest
 * drives.
 */
@NullMarked
package io.weir.forecast.internal;

import org.jspecify.annotations.NullMarked;

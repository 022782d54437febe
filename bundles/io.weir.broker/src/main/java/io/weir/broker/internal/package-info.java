/** Runs the bundled Mosquitto, or points to somebody else's broker. */
@NullMarked
package io.weir.broker.internal;

import org.jspecify.annotations.NullMarked;

/** Recorded data sent as messages, and the account of what became of each. */
@NullMarked
package io.weir.cli.replay;

import org.jspecify.annotations.NullMarked;

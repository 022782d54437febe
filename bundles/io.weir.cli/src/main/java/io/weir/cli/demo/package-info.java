/** This machine's own sensors, and the live view of what happens to their readings. */
@NullMarked
package io.weir.cli.demo;

import org.jspecify.annotations.NullMarked;

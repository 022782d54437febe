/** Words, colours and progress on a terminal. */
@NullMarked
package io.weir.cli.ui;

import org.jspecify.annotations.NullMarked;

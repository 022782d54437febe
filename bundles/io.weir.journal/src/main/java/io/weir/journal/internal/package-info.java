/** Keeps what the gateway promised in segment files of its own; the format is in docs/reference/journal-format.md. */
@NullMarked
package io.weir.journal.internal;

import org.jspecify.annotations.NullMarked;

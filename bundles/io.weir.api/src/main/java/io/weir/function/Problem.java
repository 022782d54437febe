package io.weir.function;

import java.time.Instant;

/**
 * Something declared that could not be accepted; what ran before goes on.
 *
 * @param source the file or configuration PID at fault
 * @param line line in the file, counted from 1; 0 where there are no lines
 * @param message what is wrong and how to mend it
 * @param since when it was found
 */
public record Problem(String source, int line, String message, Instant since) {}

package io.weir.engine;

import java.time.Instant;

/**
 * A function that does not stay up: its instances end or never listen, again and again.
 *
 * @param failures how many times in a row
 * @param detail how the last one ended, with its last log lines
 * @param since when the first of them happened
 * @param retryAt when the next start may be tried
 */
public record Breakdown(int failures, String detail, Instant since, Instant retryAt) {}

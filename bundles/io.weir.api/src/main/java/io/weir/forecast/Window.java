package io.weir.forecast;

import java.time.Instant;

/**
 * Between when an arrival is expected.
 *
 * @param head not before
 * @param tail not after
 * @param probability that one comes within, 0 to 1
 */
public record Window(Instant head, Instant tail, double probability) {}

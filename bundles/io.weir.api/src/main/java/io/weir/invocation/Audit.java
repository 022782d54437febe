package io.weir.invocation;

import java.time.Instant;
import java.util.List;

/**
 * What the journal can prove about a span of time.
 *
 * @param from the beginning; earlier than asked for where only sums of a longer span are left
 * @param to the end, likewise later
 * @param accepted events accepted in the span
 * @param done events that ended with an outcome in the span
 * @param deadLettered events that ended as dead letters in the span
 * @param pending events accepted before the end of the span that had not ended by then
 * @param duplicates events that came again and were not taken, in the span; a crash may forget the last of them
 * @param unbroken whether every record is where it was written, from the first that was kept to the last
 * @param problems what is wrong, if it is broken
 * @param head the hash that all records lead to, in hex; noted elsewhere, it proves that nobody rewrote them
 */
public record Audit(Instant from, Instant to, long accepted, long done, long deadLettered, long pending,
    long duplicates, boolean unbroken, List<String> problems, String head) {
  public Audit {
    problems = List.copyOf(problems);
  }
}

package io.weir.gateway.http.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.InvocationJournal.DeadLetter;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Queue;

/** Dead letters, oldest first, a few at a time: each has its payload with it. */
final class DeadLetters implements Iterator<DeadLetter> {
  private static final int PAGE = 16;

  private final InvocationJournal journal;
  private final Optional<FunctionName> function;
  private final Queue<DeadLetter> read = new ArrayDeque<>();
  private long after;

  /** @param function whose they are; empty: all */
  DeadLetters(InvocationJournal journal, long after, Optional<FunctionName> function) {
    this.journal = journal;
    this.after = after;
    this.function = function;
  }

  static Optional<DeadLetter> find(InvocationJournal journal, long number) {
    return journal.deadLetters(number - 1, 1).stream().filter(letter -> letter.number() == number).findFirst();
  }

  @Override
  public boolean hasNext() {
    boolean more = true;
    while (read.isEmpty() && more) {
      var page = journal.deadLetters(after, PAGE);
      more = !page.isEmpty();
      for (DeadLetter letter : page) {
        after = letter.number();
        if (function.isEmpty() || letter.entry().invocation().function().equals(function.get())) {
          read.add(letter);
        }
      }
    }
    return !read.isEmpty();
  }

  @Override
  public DeadLetter next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return read.remove();
  }
}

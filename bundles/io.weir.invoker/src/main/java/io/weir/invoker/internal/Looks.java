package io.weir.invoker.internal;

import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Who is to be looked at when; times are those of {@link System#nanoTime}. For one thread. */
final class Looks {
  static final long NEVER = Long.MAX_VALUE;

  /** Is looked at when its time has come. */
  interface Timed {
    /**
     * Returns when to look again, or {@link #NEVER}.
     *
     * @param at when it was to be looked at
     */
    long look(long at, long now);
  }

  private record Look(Timed timed, long at) {}

  private final PriorityQueue<Look> looks = new PriorityQueue<>((a, b) -> Long.signum(a.at() - b.at()));

  void add(long at, Timed timed) {
    looks.add(new Look(timed, at));
  }

  /** Milliseconds until somebody is to be looked at; 0 if there is nobody, below 0 if it is late. */
  long millisLeft(long now) {
    Look next = looks.peek();
    if (next == null) {
      return 0;
    }
    long left = next.at() - now;
    return left <= 0 ? -1 : TimeUnit.NANOSECONDS.toMillis(left) + 1;
  }

  boolean isEmpty() {
    return looks.isEmpty();
  }

  void look(long now) {
    for (Look next = due(now); next != null; next = due(now)) {
      long again = next.timed().look(next.at(), now);
      if (again != NEVER) {
        looks.add(new Look(next.timed(), again));
      }
    }
  }

  private @Nullable Look due(long now) {
    Look next = looks.peek();
    return next == null || next.at() - now > 0 ? null : looks.poll();
  }
}

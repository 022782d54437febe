package io.weir.forecast.internal;

import org.jspecify.annotations.Nullable;

/**
 * Learns which function is called after which, from the last {@value #RECENT} that were called. Bounded: a
 * call is compared with those few only, and each function keeps few followers.
 */
final class Topology {
  private static final int RECENT = 8;
  /** What is called later than that did not follow. */
  private static final long LONGEST = 120_000;

  private final @Nullable Ledger[] who = new @Nullable Ledger[RECENT];
  private final long[] when = new long[RECENT];
  /** It was called again since. */
  private final boolean[] again = new boolean[RECENT];
  private int next;

  /**
   * A function was called after a while without.
   *
   * @param before when it was called before that
   */
  void called(Ledger function, long before, long at, Followers.Announcement announcement) {
    for (int back = 1; back <= RECENT; back++) {
      int i = Math.floorMod(next - back, RECENT);
      Ledger other = who[i];
      if (other == null || at - when[i] > LONGEST) {
        break;
      }
      // Each call is followed by one of a function, and one follows the last call of a function.
      if (other != function && before < when[i] && !again[i]) {
        other.followers().followed(function, at - when[i]);
      }
    }
    for (int i = 0; i < RECENT; i++) {
      again[i] |= who[i] == function;
    }
    who[next] = function;
    again[next] = false;
    when[next] = at;
    next = (next + 1) % RECENT;
    function.followers().called();
    function.followers().announce(at, announcement);
  }

  void forget(Ledger gone) {
    for (int i = 0; i < RECENT; i++) {
      if (who[i] == gone) {
        when[i] = Long.MIN_VALUE / 2;
      }
    }
  }
}

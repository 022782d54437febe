package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Whom to believe. What a candidate would have cost is known for all of them, so among those that always have
 * an opinion the leader is followed; a change is damped: another one must be ahead by a part of a cold start.
 * Those with a special knowledge (topology, timers) sleep until they have an opinion; then they drive, unless
 * their opinions have cost more than the leader's did at the same time. These are the specialists of Freund
 * et al., Using and combining predictors that specialize, STOC 1997. Of a function of which little is known,
 * both believe what was so of the others.
 */
final class Chooser {
  static final int SPECIALISTS = Ledger.HABIT;
  /** Part of a cold start's worth by which another one must be ahead. */
  private static final float DAMPING = 0.25f;
  /** What is added to that of a single gap, less of more. */
  private static final float DOUBT = 1;
  /** The same by which opinions of a specialist may have been worse. */
  private static final float CREDIT = 0.1f;

  private final int forced;
  private int general = Ledger.BREAK_EVEN;
  /**
   * By how much the specialists were cheaper than the leader while they had an opinion; fading, milliseconds.
   */
  private final float[] ahead = new float[SPECIALISTS];

  /** @param forced candidate that always drives; negative: the best */
  Chooser(int forced) {
    this.forced = forced;
  }

  /**
   * Looks at the accounts, after each arrival.
   *
   * @param gaps how many the accounts are about, each counted by what was at stake in it
   */
  void choose(Account[] accounts, float gaps, float worth, Surroundings others) {
    int best = general;
    float leaders = accounts[general].cost(worth) + others.cost(general) * worth;
    float least = leaders;
    for (int i = Ledger.HABIT; i < accounts.length; i++) {
      float cost = accounts[i].cost(worth) + others.cost(i) * worth;
      if (cost < least) {
        best = i;
        least = cost;
      }
    }
    if (best != general && least < leaders - (DAMPING + DOUBT / Math.max(0.5f, gaps)) * worth) {
      general = best;
    }
  }

  /** A specialist had an opinion of a gap that was by so much cheaper than the leader's. */
  void opinion(int specialist, float cheaper, float fade) {
    ahead[specialist] = ahead[specialist] * fade + cheaper;
  }

  /** Who drives now. */
  int driver(Candidate[] candidates, long last, long now, float worth, Span span, Surroundings others) {
    if (forced >= 0) {
      return forced;
    }
    int best = -1;
    for (int i = 0; i < SPECIALISTS; i++) {
      boolean trusted = ahead[i] + others.saved(i) * worth >= -CREDIT * worth;
      boolean better = best < 0 || ahead[i] > ahead[best];
      if (trusted && better && candidates[i].next(last, now, worth, span)) {
        best = i;
      }
    }
    return best >= 0 ? best : general;
  }

  /** Whether the best one drives, and not one by order. */
  boolean free() {
    return forced < 0;
  }

  int general() {
    return general;
  }

  void write(DataOutput out) throws IOException {
    out.writeByte(general);
    State.write(out, ahead);
  }

  void read(DataInput in) throws IOException {
    general = Math.max(Ledger.HABIT, Math.min(Ledger.NAMES.length - 1, in.readByte()));
    State.readNumbers(in, ahead);
  }
}

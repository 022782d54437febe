package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Who is called after a function, how much later, and how often: "B follows in 2.3 s ± 0.4 with p = 0.9". The
 * few most frequent are kept, a newcomer has to wear down the least frequent first (Misra and Gries, Finding
 * repeated elements, 1982); mean and variance are Welford's (1962), fading.
 *
 * <p>Parameters: {@value #KEPT} followers; counts fade with 0.98 per call.
 */
final class Followers {
  static final int KEPT = 4;
  private static final float FADE = 0.98f;
  private static final float LEAST = 0.2f;

  private final @Nullable Ledger[] who = new @Nullable Ledger[KEPT];
  private final float[] count = new float[KEPT];
  private final float[] mean = new float[KEPT];
  private final float[] variance = new float[KEPT];
  private float calls;

  /** The function was called. */
  void called() {
    calls = calls * FADE + 1;
    for (int i = 0; i < KEPT; i++) {
      count[i] *= FADE;
    }
  }

  /** Another one was called after it, for the first time since. */
  void followed(Ledger by, long after) {
    int least = 0;
    for (int i = 0; i < KEPT; i++) {
      if (who[i] == by) {
        count[i]++;
        float share = Math.max(0.05f, 1 / (count[i] + 1));
        float off = after - mean[i];
        mean[i] += off * share;
        variance[i] = (1 - share) * (variance[i] + share * off * off);
        return;
      }
      if (count[i] < count[least]) {
        least = i;
      }
    }
    if (who[least] != null && count[least] > 1) {
      count[least] -= 0.5f;
      return;
    }
    who[least] = by;
    count[least] = 1;
    mean[least] = after;
    variance[least] = (float) after * after / 16;
  }

  /** Tells them that the function was called at a time. */
  void announce(long at, Announcement to) {
    for (int i = 0; i < KEPT; i++) {
      Ledger follower = who[i];
      if (follower != null && count[i] > 1.5f && probability(i) >= LEAST) {
        long width = (long) (3 * Math.sqrt(variance[i]) + 300 + mean[i] * 0.3 / count[i]);
        long head = at + Math.max(0, (long) mean[i] - width);
        to.expect(follower, head, at + (long) mean[i] + width, probability(i));
      }
    }
  }

  /** What happens with an announcement. */
  @FunctionalInterface
  interface Announcement {
    void expect(Ledger follower, long head, long tail, float probability);
  }

  @Nullable Ledger who(int i) {
    return count[i] > 1.5f ? who[i] : null;
  }

  float probability(int i) {
    return Math.min(1, count[i] / Math.max(1, calls));
  }

  double meanSeconds(int i) {
    return mean[i] / 1e3;
  }

  double deviationSeconds(int i) {
    return Math.sqrt(variance[i]) / 1e3;
  }

  void forget(Ledger gone) {
    for (int i = 0; i < KEPT; i++) {
      if (who[i] == gone) {
        who[i] = null;
        count[i] = 0;
      }
    }
  }

  void write(DataOutput out) throws IOException {
    out.writeFloat(calls);
    for (int i = 0; i < KEPT; i++) {
      Ledger follower = who[i];
      out.writeUTF(follower == null ? "" : follower.name());
      out.writeFloat(count[i]);
      out.writeFloat(mean[i]);
      out.writeFloat(variance[i]);
    }
  }

  void read(DataInput in, java.util.function.Function<String, @Nullable Ledger> known) throws IOException {
    calls = State.finite(in.readFloat());
    for (int i = 0; i < KEPT; i++) {
      String name = in.readUTF();
      who[i] = name.isEmpty() ? null : known.apply(name);
      count[i] = State.finite(in.readFloat());
      mean[i] = State.finite(in.readFloat());
      variance[i] = State.finite(in.readFloat());
      if (who[i] == null) {
        count[i] = 0;
      }
    }
  }
}

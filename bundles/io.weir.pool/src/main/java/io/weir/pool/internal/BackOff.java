package io.weir.pool.internal;

import io.weir.engine.Breakdown;
import io.weir.engine.LeaseRefused;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Exponential delay between failed starts, with jitter, so that functions that failed together do not try again together.
 * An instance that dies soon after it was ready has failed as well, but the first such death is forgiven: it may have
 * been the request. Not thread-safe.
 */
final class BackOff {
  private static final long FIRST_MILLIS = 250;
  private static final long LONGEST_MILLIS = Duration.ofMinutes(5).toMillis();
  /** An instance that lived so long was a good one. */
  static final Duration GOOD_LIFE = Duration.ofSeconds(10);
  /** So many failures in a row make a function broken, which means: refused at once, with the reason. */
  static final int BROKEN = 3;

  private int failures;
  private int earlyDeaths;
  private long notBeforeNanos;
  private Instant since = Instant.now();
  private @Nullable LeaseRefused last;

  /** A start failed. */
  void failed(LeaseRefused failure, long nowNanos) {
    if (failures == 0) {
      since = Instant.now();
    }
    long ceiling = Math.min(LONGEST_MILLIS, FIRST_MILLIS << Math.min(failures, 20));
    failures++;
    long delay = ceiling / 2 + ThreadLocalRandom.current().nextLong(ceiling / 2 + 1);
    notBeforeNanos = nowNanos + Duration.ofMillis(delay).toNanos();
    last = failure;
  }

  /** An instance died after a life of this length. */
  void died(Duration lived, LeaseRefused death, long nowNanos) {
    if (lived.compareTo(GOOD_LIFE) >= 0) {
      earlyDeaths = 0;
      reset();
    } else if (++earlyDeaths > 1) {
      failed(death, nowNanos);
    }
  }

  /** An instance became ready; that mends failed starts, while an early death may follow yet. */
  void started() {
    if (earlyDeaths == 0) {
      reset();
    }
  }

  /** Everything is new: another revision, another image. */
  void forget() {
    earlyDeaths = 0;
    reset();
  }

  /** An instance answered for longer than a good life. */
  void lived() {
    if (failures > 0 || earlyDeaths > 0) {
      forget();
    }
  }

  private void reset() {
    failures = 0;
    last = null;
  }

  /** How long no start should be tried; zero if one may. */
  Duration remaining(long nowNanos) {
    return failures == 0 ? Duration.ZERO : Duration.ofNanos(Math.max(0, notBeforeNanos - nowNanos));
  }

  /** Why the last start failed, if it did. */
  Optional<LeaseRefused> failure() {
    return Optional.ofNullable(last);
  }

  boolean broken() {
    return failures >= BROKEN;
  }

  Optional<Breakdown> breakdown(long nowNanos) {
    return broken() ? Optional.of(new Breakdown(failures, failure().map(Throwable::getMessage).orElse(""), since,
        Instant.now().plus(remaining(nowNanos)))) : Optional.empty();
  }
}

package io.weir.gateway.mqtt.internal;

import io.weir.function.Promise.Level;
import io.weir.invocation.Courier;
import io.weir.invocation.InvocationJournal;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Who keeps promises for the gateway, while somebody does. Thread-safe. */
final class Durable {
  private volatile @Nullable Courier courier;
  private volatile @Nullable InvocationJournal journal;
  private volatile long expectedUntil = System.nanoTime();

  /** For a while it is not yet certain that there will be nobody. */
  void expect(Duration patience) {
    expectedUntil = System.nanoTime() + patience.toNanos();
  }

  void courier(@Nullable Courier service) {
    courier = service;
  }

  void journal(@Nullable InvocationJournal service) {
    journal = service;
  }

  boolean isCourier(Courier service) {
    return courier == service;
  }

  boolean isJournal(InvocationJournal service) {
    return journal == service;
  }

  /** Empty where nothing is kept: then a message is acknowledged when its answer is out, and not before. */
  Optional<Courier> courier() {
    return journal == null ? Optional.empty() : Optional.ofNullable(courier);
  }

  /**
   * Whether messages of this level had better stay with the broker now. Exactly once is not to be had without the
   * journal; what is promised less only waits for one that is being read, or it would overtake what is in there.
   */
  boolean isMissing(Level level) {
    return level != Level.AT_MOST_ONCE && courier().isEmpty()
        && (level == Level.EXACTLY_ONCE || expectedUntil - System.nanoTime() > 0);
  }

  Optional<InvocationJournal> journal() {
    return Optional.ofNullable(journal);
  }
}

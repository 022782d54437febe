package io.weir.gateway.mqtt.internal;

import io.weir.invocation.Courier;
import io.weir.invocation.InvocationJournal;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Who keeps promises for the gateway, while somebody does. Thread-safe. */
final class Durable {
  private volatile @Nullable Courier courier;
  private volatile @Nullable InvocationJournal journal;

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

  Optional<InvocationJournal> journal() {
    return Optional.ofNullable(journal);
  }
}

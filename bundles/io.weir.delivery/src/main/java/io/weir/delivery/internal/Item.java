package io.weir.delivery.internal;

import io.weir.function.FunctionName;
import io.weir.function.Promise;
import io.weir.function.Promise.Level;
import io.weir.function.Promise.Urgency;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.StateAttempts;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** An event that is pending. Its queue's monitor guards what changes, but for what only its attempt touches. */
final class Item {
  /** What waits for each other: alarms do not wait for others, even of the same topic. */
  record Order(Urgency urgency, String text) {}

  final long number;
  final Instant at;
  final Promise promise;
  final FunctionName function;
  final String trigger;
  final Order order;
  final long bytes;
  /** Null: it is read again when it is its turn. */
  private volatile @Nullable Accepted event;
  /** Attempts that failed. */
  volatile int attempts;
  /** What the attempt changes of the function's state; null if it changes none together with its outcome. */
  volatile StateAttempts.@Nullable Attempt state;
  /** What the attempt that just ended leads to, once that is decided. */
  volatile @Nullable Verdict verdict;
  /** When the next attempt may begin, by the nanosecond clock. */
  long notBefore;

  /** @param hold whether there is memory for it */
  Item(Accepted event, boolean hold) {
    this.number = event.number();
    this.at = event.at();
    this.promise = Terms.read(event.entry());
    this.function = event.entry().invocation().function();
    this.trigger = event.entry().invocation().trigger();
    this.order = new Order(promise.urgency(), event.entry().order());
    this.bytes = hold ? size(event) : 0;
    this.event = hold ? event : null;
    this.attempts = event.attempts();
  }

  static long size(Accepted event) {
    return 512 + Math.max(0, event.entry().invocation().body().length());
  }

  @Nullable Accepted held() {
    return event;
  }

  boolean exactlyOnce() {
    return promise.level() == Level.EXACTLY_ONCE;
  }

  boolean alarm() {
    return order.urgency() == Urgency.ALARM;
  }
}

package io.weir.delivery.internal;

import io.weir.function.FunctionName;
import io.weir.function.Promise;
import io.weir.function.Promise.Level;
import io.weir.function.Promise.Urgency;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.StateAttempts;
import java.time.Instant;
import java.util.List;
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
  /** Of its queue, which knows it once for all events that wait for each other. */
  Order order;
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

  /**
   * There are tens of thousands, so they share what is the same.
   *
   * @param function its function's one name
   * @param hold whether there is memory for the event
   */
  Item(Accepted event, FunctionName function, boolean hold) {
    this.number = event.number();
    this.at = event.at();
    this.promise = Terms.read(event.entry());
    this.function = function;
    this.trigger = event.entry().invocation().trigger().intern();
    this.order = new Order(promise.urgency(), event.entry().order());
    this.bytes = hold ? size(event) : 0;
    this.event = hold ? event : null;
    this.attempts = event.attempts();
  }

  /** What it takes to hold an event, in bytes, seen generously. */
  static long size(Accepted event) {
    Invocation invocation = event.entry().invocation();
    return 1024 + size(invocation.headers()) + size(event.entry().notes()) + Math.max(0, invocation.body().length());
  }

  private static long size(List<Header> fields) {
    long size = 0;
    for (Header field : fields) {
      size += 128 + field.name().length() + field.value().length();
    }
    return size;
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

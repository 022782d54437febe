package io.weir.invoker.internal;

import io.weir.function.FunctionSpec;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Invocation;
import io.weir.invocation.Outcome;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;

/** One request on its way to one instance, whose answer is held in memory. Ends exactly once. */
final class HeldCall {

  /** Hears how it ended, on the loop; must not block. */
  interface Listener {
    void replied(Outcome.Replied reply);

    void failed(CallFailed failure);
  }

  private static final long CONNECT_NANOS = Duration.ofSeconds(2).toNanos();
  private static final long CONNECT_AGAIN_NANOS = Duration.ofMillis(200).toNanos();

  private final Invocation invocation;
  private final FunctionSpec function;
  private final Listener listener;
  private final long arrivedNanos;
  private final Duration coldStart;
  private final ByteBuffer request;
  private final long deadlineNanos;
  private final int maxReplyBytes;
  private boolean repeated;

  HeldCall(Invocation invocation, FunctionSpec function, long arrivedNanos, Duration coldStart, int maxReplyBytes,
      Listener listener) throws IOException {
    this.invocation = invocation;
    this.function = function;
    this.arrivedNanos = arrivedNanos;
    this.coldStart = coldStart;
    this.maxReplyBytes = maxReplyBytes;
    this.listener = listener;
    this.request = RequestEncoder.encode(invocation);
    this.deadlineNanos = System.nanoTime() + function.timeout().toNanos();
  }

  /**
   * How long a connection may take. The instance was there a moment ago if the call was sent before; if it has died, the
   * pool shall hear of it soon.
   */
  long connectNanos() {
    return repeated ? CONNECT_AGAIN_NANOS : CONNECT_NANOS;
  }

  String method() {
    return invocation.method();
  }

  /** From its beginning, whatever was sent of it before. */
  ByteBuffer request() {
    return request.duplicate();
  }

  long deadlineNanos() {
    return deadlineNanos;
  }

  long timeoutNanos() {
    return function.timeout().toNanos();
  }

  /**
   * Whether to send it once more at once: a connection that was used before ended without a word. Most likely the
   * function closed it because it was idle; but it may also have died of this request.
   */
  boolean again() {
    boolean harmless = invocation.guarantee() == Guarantee.AT_LEAST_ONCE
        || RetryingInvoker.IDEMPOTENT.contains(invocation.method());
    boolean first = !repeated;
    repeated = true;
    return harmless && first;
  }

  Outcome.Replied reply(AnswerParser parser) {
    AnswerHead head = parser.head();
    return new Outcome.Replied(head.status, head.headers, new HeldBody(parser.body()),
        Duration.ofNanos(parser.headNanos() - arrivedNanos), coldStart);
  }

  void replied(Outcome.Replied reply) {
    listener.replied(reply);
  }

  void tooLarge() {
    listener.failed(CallFailed.tooLarge(function, maxReplyBytes));
  }

  void notConnected(IOException cause) {
    listener.failed(CallFailed.refused(function, repeated, cause));
  }

  void timedOut() {
    listener.failed(CallFailed.timeout(function, new SocketTimeoutException("timeout")));
  }

  void lost(IOException cause) {
    listener.failed(CallFailed.reset(function, cause));
  }
}

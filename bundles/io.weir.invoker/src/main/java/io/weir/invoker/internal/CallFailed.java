package io.weir.invoker.internal;

import io.weir.function.FunctionSpec;
import org.jspecify.annotations.Nullable;

/** Why a call gave no answer; {@code seen} is whether the function may have seen the request. */
final class CallFailed extends Exception {
  private static final long serialVersionUID = 1L;
  private final String code;
  private final boolean seen;
  private final boolean connection;

  CallFailed(String code, String detail, boolean seen, boolean connection, @Nullable Throwable cause) {
    super(detail, cause);
    this.code = code;
    this.seen = seen;
    this.connection = connection;
  }

  static CallFailed refused(FunctionSpec function, boolean seen, Throwable cause) {
    return new CallFailed("connection-refused", "the instance of " + function.name() + " does not accept connections",
        seen, true, cause);
  }

  static CallFailed timeout(FunctionSpec function, @Nullable Throwable cause) {
    return new CallFailed("timeout", function.name() + " did not answer within " + function.timeout().toMillis()
        + " ms; make it faster or raise timeout", true, false, cause);
  }

  static CallFailed reset(FunctionSpec function, Throwable cause) {
    return new CallFailed("connection-reset", "the instance of " + function.name() + " closed the connection before its"
        + " answer was complete: " + cause.getMessage(), true, true, cause);
  }

  static CallFailed tooLarge(FunctionSpec function, int maxReplyBytes) {
    return new CallFailed("reply-too-large", "the answer of " + function.name() + " is larger than " + maxReplyBytes
        + " bytes; answer less or raise max.reply.bytes of " + RetryingInvoker.PID, true, false, null);
  }

  String code() {
    return code;
  }

  boolean seen() {
    return seen;
  }

  /** Whether the instance itself is suspect. */
  boolean connection() {
    return connection;
  }
}

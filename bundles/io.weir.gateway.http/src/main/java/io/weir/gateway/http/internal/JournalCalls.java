package io.weir.gateway.http.internal;

import io.weir.invocation.InvocationJournal;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The journal, for requests: what it refuses becomes a problem document. */
final class JournalCalls {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration SOON = Duration.ofSeconds(5);

  private JournalCalls() {}

  /** @throws Problem 503 if there is none */
  static InvocationJournal journal(Services services) {
    return services.journal().orElseThrow(JournalCalls::absent);
  }

  static Problem absent() {
    return new Problem(503, "journal-unavailable", "the gateway keeps no journal now; part journal in /api/v1/status says "
        + "why (there is none without the bundle io.weir.journal and its configuration)").retryAfter(SOON);
  }

  /** The result of a change, once it is on the disk. */
  static <T> T await(CompletionStage<T> change) {
    try {
      return change.toCompletableFuture().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new Problem(504, "timeout", "the disk did not keep the change within " + PATIENCE.toSeconds()
          + " s; it may yet, look again");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(503, "stopping", "the gateway is going down");
    } catch (ExecutionException e) {
      throw problem(e.getCause());
    }
  }

  /** @return a {@link Problem}, unless nobody foresaw the cause */
  static RuntimeException problem(Throwable failure) {
    Throwable cause = failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    if (cause instanceof JournalFull full) {
      return switch (full.reason()) {
        case TOO_LARGE -> new Problem(413, "too-large", String.valueOf(full.getMessage()));
        case BUSY -> full(full).retryAfter(Duration.ofSeconds(1));
        default -> full(full).retryAfter(SOON);
      };
    } else if (cause instanceof JournalUnavailable) {
      return new Problem(503, "journal-unavailable", String.valueOf(cause.getMessage())).retryAfter(SOON);
    }
    return cause instanceof Problem problem ? problem : new IllegalStateException("the journal failed", cause);
  }

  private static Problem full(JournalFull full) {
    return new Problem(503, "journal-full", String.valueOf(full.getMessage()))
        .with("full", full.reason().name().toLowerCase(java.util.Locale.ROOT));
  }
}

package io.weir.delivery.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.JournalFull;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a function's events end in the journal, in their order even while the journal cannot take it. Thread-safe; nothing
 * is called while its monitor is held.
 */
final class Commits {
  private static final Logger LOG = LoggerFactory.getLogger(Commits.class);
  private static final Duration PAUSE = Duration.ofSeconds(1);

  /**
   * The end of an event.
   *
   * @param ask asks the journal to keep it
   * @param kept told when that is so
   * @param tooLarge what is asked instead if the journal will never keep it
   */
  record End(Supplier<CompletionStage<Boolean>> ask, Runnable kept, Function<JournalFull, End> tooLarge) {}

  private final FunctionName name;
  private final World.Timer timer;
  private final Runnable goingOn;
  private final TreeMap<Long, End> waiting = new TreeMap<>();
  private boolean stuck;
  /** Whether one of them is with the journal again. */
  private boolean retrying;

  /** @param goingOn called when the journal takes ends again */
  Commits(FunctionName name, World.Timer timer, Runnable goingOn) {
    this.name = name;
    this.timer = timer;
    this.goingOn = goingOn;
  }

  /** Whether the journal does not take ends now; then nothing more should be begun. */
  synchronized boolean stuck() {
    return stuck;
  }

  void add(long number, End end) {
    synchronized (this) {
      if (stuck) {
        waiting.put(number, end);
        return;
      }
    }
    ask(number, end, () -> {});
  }

  private void ask(long number, End end, Runnable next) {
    CompletionStage<Boolean> asked;
    try {
      asked = end.ask().get();
    } catch (RuntimeException e) {
      asked = CompletableFuture.failedStage(e);
    }
    asked.whenComplete((counted, error) -> {
      if (error == null) {
        end.kept().run();
        next.run();
      } else {
        failed(number, end, error instanceof CompletionException && error.getCause() != null ? error.getCause() : error);
      }
    });
  }

  private void failed(long number, End end, Throwable cause) {
    JournalFull never = cause instanceof JournalFull full && (full.reason() == JournalFull.Reason.TOO_LARGE
        || full.reason() == JournalFull.Reason.STATE) ? full : null;
    End again = never != null ? end.tooLarge().apply(never) : end;
    boolean first;
    boolean alone;
    synchronized (this) {
      first = !stuck;
      alone = first || retrying;
      stuck = true;
      retrying = false;
      waiting.put(number, again);
    }
    if (first) {
      LOG.warn("{}: the journal does not take how event {} ended: {}; tried again until it does", name, number,
          cause.getMessage());
    }
    if (alone) {
      timer.after(never != null ? Duration.ZERO : PAUSE, this::retry);
    }
  }

  /** One after the other, the oldest first. */
  private void retry() {
    Map.Entry<Long, End> oldest;
    synchronized (this) {
      oldest = waiting.pollFirstEntry();
      stuck = oldest != null;
      retrying = stuck;
    }
    if (oldest == null) {
      goingOn.run();
    } else {
      ask(oldest.getKey(), oldest.getValue(), this::retry);
    }
  }
}

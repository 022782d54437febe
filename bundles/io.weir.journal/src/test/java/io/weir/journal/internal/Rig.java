package io.weir.journal.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A journal without a thread: the test decides when a group is written. */
final class Rig {
  final StormFolder disk;
  Settings settings;
  long now = 1_700_000_000_000L;
  final List<String> news = new ArrayList<>();
  private final Random random;
  private Queue queue;
  private Ledger ledger;
  private SegmentJournal journal;
  private Report report;

  Rig(long seed, Settings settings) {
    this(new StormFolder(seed), settings, seed);
  }

  Rig(StormFolder disk, Settings settings, long seed) {
    this.disk = disk;
    this.settings = settings;
    this.random = new Random(seed);
    open();
  }

  void open() {
    queue = new Queue(0);
    report = new Report();
    SegmentJournal.Watchers watchers = new SegmentJournal.Watchers();
    try {
      ledger = new Ledger(settings, disk, () -> now, random::nextLong, report, (channels, text) -> {
        watchers.tell(channels);
        if (!text.isEmpty()) {
          news.add(text);
        }
      });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    journal = new SegmentJournal(ledger, queue, watchers);
  }

  void close() {
    ledger.close();
  }

  void reopen() {
    close();
    open();
  }

  /** The machine loses its power and comes back. */
  void crash() {
    disk.crash();
    open();
  }

  SegmentJournal journal() {
    return journal;
  }

  Ledger ledger() {
    return ledger;
  }

  Report report() {
    return report;
  }

  /** Writes what waits. */
  void turn() {
    for (List<Request<?>> some = queue.take(); !some.isEmpty(); some = queue.take()) {
      ledger.process(some);
    }
  }

  /** Frees segments until nothing is left to free. */
  void tidy() {
    int most = 10_000;
    while (ledger.tidy() && most-- > 0) {
      // goes on
    }
  }

  <T> T get(CompletionStage<T> stage) {
    turn();
    CompletableFuture<T> future = stage.toCompletableFuture();
    if (!future.isDone()) {
      throw new AssertionError("not done after a turn");
    }
    return future.join();
  }

  /** Why a stage failed. */
  Throwable failure(CompletionStage<?> stage) {
    turn();
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    stage.whenComplete((value, error) -> failure.complete(error));
    return failure.join();
  }
}

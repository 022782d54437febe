package io.weir.runner.internal;

import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where work is done that nobody waits for: one task at a time, in order. */
interface Background {
  void run(Runnable task);

  void later(Duration delay, Runnable task);

  void every(Duration pause, Runnable task);

  /** Runs nothing any more, and waits for what runs now. */
  void close();

  /** A thread of its own. */
  static Background onThread(String name, Duration patience) {
    Logger log = LoggerFactory.getLogger(Background.class);
    ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    });
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    return new Background() {
      @Override
      public void run(Runnable task) {
        later(Duration.ZERO, task);
      }

      @Override
      public void later(Duration delay, Runnable task) {
        try {
          executor.schedule(guarded(task), delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
          log.debug("closed already", e);
        }
      }

      @Override
      public void every(Duration pause, Runnable task) {
        executor.scheduleWithFixedDelay(guarded(task), pause.toNanos(), pause.toNanos(), TimeUnit.NANOSECONDS);
      }

      private Runnable guarded(Runnable task) {
        return () -> {
          try {
            task.run();
          } catch (RuntimeException e) {
            log.error("unexpected failure among the runners: {}", e.getMessage(), e);
          }
        };
      }

      @Override
      public void close() {
        executor.shutdown();
        try {
          if (!executor.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS)) {
            log.warn("a runner is still being started; that is broken off");
            executor.shutdownNow();
            executor.awaitTermination(2, TimeUnit.SECONDS);
          }
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
    };
  }
}

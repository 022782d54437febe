package io.weir.runner.internal;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Does what it is given when the test says so, on the test's thread. */
final class ManualBackground implements Background {
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final List<Runnable> repeated = new ArrayList<>();
  private final List<Runnable> delayed = new ArrayList<>();
  final List<Duration> delays = new ArrayList<>();

  @Override
  public void run(Runnable task) {
    tasks.add(task);
  }

  @Override
  public void later(Duration delay, Runnable task) {
    delays.add(delay);
    delayed.add(task);
  }

  @Override
  public void every(Duration pause, Runnable task) {
    repeated.add(task);
  }

  @Override
  public void close() {
    tasks.clear();
  }

  void runAll() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
    }
  }

  /** Everything that waits for its time has it. */
  void passDelays() {
    List<Runnable> due = List.copyOf(delayed);
    delayed.clear();
    due.forEach(Runnable::run);
    runAll();
  }

  /** The minute is over. */
  void passMinute() {
    repeated.forEach(Runnable::run);
    runAll();
  }
}

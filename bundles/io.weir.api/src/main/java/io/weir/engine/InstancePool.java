package io.weir.engine;

import io.weir.function.FunctionName;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** The instances of all functions. Thread-safe. */
public interface InstancePool {

  /**
   * A lease on an instance of the function, starting one if need be; concurrent callers share one start. The stage
   * fails with {@link LeaseRefused}, and nothing else. It completes on the caller's thread if an instance is ready,
   * otherwise on a thread of the pool that must not be blocked.
   *
   * @param function must be registered
   * @param patience how long the caller wants to wait at most
   */
  CompletionStage<Lease> acquire(FunctionName function, Duration patience);

  /** A snapshot, ordered by name. */
  List<Instance> instances();

  /** What every function uses, ordered by name. Asks nobody: at most a few seconds old. */
  default List<FunctionUsage> usage() {
    return List.of();
  }

  /** The last lines the function's instances wrote, oldest instance first; those of the last dead one if none runs. */
  List<String> logs(FunctionName function, int lines);
}

package io.weir.engine;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What operators ask of the pool, beside leases. Thread-safe. */
public interface Ladder {

  /**
   * Brings a function to a rung now: its idle instances above it go down, or one is prepared up to it. Instances that
   * work are left alone. The usual rules apply again afterwards.
   *
   * @return completes when it is there; fails with {@link IllegalArgumentException} if the function is unknown or cannot
   *     rest there, with {@link LeaseRefused} if it cannot be brought there
   */
  CompletionStage<Void> rest(FunctionName function, Rung rung);

  /** What is known about every function, ordered by name. */
  List<Calibration> calibrations();

  /**
   * Measures each rung of a function with instances of its own, which takes seconds and disturbs nobody.
   *
   * @return fails with {@link IllegalArgumentException} if the function is unknown, with {@link LeaseRefused} if it does
   *     not come up
   */
  CompletionStage<Calibration> calibrate(FunctionName function);

  /**
   * Starts an instance of a function as it is to be, waits until it takes connections, and removes it. It gets no request,
   * and whatever the function of that name is now goes on undisturbed, but for idle instances that may have to give way.
   *
   * @param function need not be declared
   * @return fails with {@link LeaseRefused} if it does not come up in time
   */
  default CompletionStage<Void> rehearse(FunctionSpec function, Duration patience) {
    return CompletableFuture.failedFuture(new UnsupportedOperationException("this pool starts nothing on trial"));
  }

  MemoryBudget budget();

  /** Why a function is considered broken; empty if it is not. */
  Optional<Breakdown> breakdown(FunctionName function);
}

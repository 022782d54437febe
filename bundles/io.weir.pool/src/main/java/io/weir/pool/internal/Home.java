package io.weir.pool.internal;

import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;

/** What all functions of a pool share. */
record Home(Lifecycle lifecycle, KernelSide kernel, Settings settings, Budget budget, Admission admission,
    CostLedger ledger, RestPolicy policy, Forecasting forecasting, ScheduledExecutorService scheduler,
    LongSupplier clock) {

  long nanoTime() {
    return clock.getAsLong();
  }
}

package io.weir.pool.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = OnDemandPool.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir instance pool",
    description = "Starts, shares, freezes and stops the containers of functions.")
@interface PoolConfig {
  @AttributeDefinition(name = "Queue length", min = "1", max = "100000",
      description = "Requests of one function that may wait for an instance; more are refused with 503.")
  int queue_length() default 1000;

  @AttributeDefinition(name = "Start timeout (s)", min = "1", max = "3600",
      description = "How long a container may take from its creation until it listens on its port.")
  int start_timeout_seconds() default 30;

  @AttributeDefinition(name = "Stop grace (s)", min = "0", max = "3600",
      description = "How long an instance may take to end after SIGTERM before it is killed.")
  int stop_grace_seconds() default 3;

  @AttributeDefinition(name = "Parallel starts", min = "0", max = "64",
      description = "Containers that are started at a time; 0 means twice the number of cores.")
  int parallel_starts() default 0;

  @AttributeDefinition(name = "Freeze after (ms)", min = "0", max = "3600000",
      description = "After so long without work an instance gets no CPU until the next request, "
          + "which then takes a millisecond or two longer.")
  int freeze_after_millis() default 2000;

  @AttributeDefinition(name = "Memory budget (MiB)", min = "0", max = "16777216",
      description = "Memory that all instances may hold together; 0 means half of the machine's RAM.")
  int memory_budget_mib() default 0;

  @AttributeDefinition(name = "Least available memory (%)", min = "0", max = "90",
      description = "If less of the machine's RAM is available, or programs stall for want of memory, "
          + "idle instances are stopped early.")
  int pressure_available_percent() default 5;

  @AttributeDefinition(name = "Price of waiting (MiB·s per s)", min = "0", max = "1000000000",
      description = "How much memory for how long one second of a caller's waiting is worth. "
          + "The default holds 1 GiB for ten minutes to spare one second.")
  int delay_price() default 600_000;

  @AttributeDefinition(name = "Calibrate",
      description = "Whether what a new function's rungs cost on this device is measured in quiet moments, "
          + "with an instance of its own.")
  boolean calibrate() default true;

  @AttributeDefinition(name = "Use forecasts",
      description = "Whether functions rest, and are started before they are called, as is expected of "
          + "their calls; else by a fixed rule. Needs the bundle io.weir.forecast.")
  boolean forecast_enabled() default true;
}

package io.weir.pool.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = OnDemandPool.PID, name = "Weir instance pool",
    description = "Starts, shares and stops the containers of functions.")
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
      description = "Containers that are started or stopped at a time; 0 means twice the number of cores.")
  int parallel_starts() default 0;
}

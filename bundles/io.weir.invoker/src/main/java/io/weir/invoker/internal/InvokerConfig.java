package io.weir.invoker.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = RetryingInvoker.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir invoker",
    description = "Calls functions and repeats what failed.")
@interface InvokerConfig {
  @AttributeDefinition(name = "Attempts", min = "1", max = "100",
      description = "Calls made at most for one event that shall be delivered at least once.")
  int attempts() default 6;

  @AttributeDefinition(name = "First delay (ms)", min = "1", max = "60000",
      description = "Longest delay before the second attempt; it doubles with every further one, with full jitter.")
  int backoff_ms() default 200;

  @AttributeDefinition(name = "Longest delay (s)", min = "1", max = "3600",
      description = "No delay between two attempts is longer.")
  int backoff_max_seconds() default 30;

  @AttributeDefinition(name = "Patience (s)", min = "1", max = "3600",
      description = "How long an HTTP request, or one attempt for an MQTT event, waits for a free instance, a cold start "
          + "included.")
  int patience_seconds() default 60;

  @AttributeDefinition(name = "Largest held answer (bytes)", min = "0", max = "268435456",
      description = "Answers to MQTT events are held in memory; larger ones count as failures. HTTP answers stream.")
  int max_reply_bytes() default 1048576;
}

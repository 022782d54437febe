package io.weir.kura.wire.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

@ObjectClassDefinition(id = FunctionConfig.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir Function",
    description = "Calls a function of Weir with each batch of records and emits its answer as records.")
@interface FunctionConfig {
  String PID = "io.weir.kura.wire.Function";

  @AttributeDefinition(name = "Function", description = "The function's name.")
  String function() default "changeme";

  @AttributeDefinition(name = "Path", description = "Path of the function that is called, beginning with a slash.")
  String path() default "/";

  @AttributeDefinition(name = "Batches in work", min = "1", max = "1000", description = "Batches that are with the function "
      + "at a time. With more than one, answers may overtake each other.")
  int in_flight() default 1;

  @AttributeDefinition(name = "When all are in work", description = "What becomes of another batch: whoever emits it has to "
      + "wait, and with him what else he feeds, or it is dropped and told as an error.", options = {
          @Option(label = "Let the emitter wait", value = "wait"), @Option(label = "Drop the batch", value = "drop")})
  String when_full() default "wait";

  @AttributeDefinition(name = "Longest wait (s)", min = "1", max = "3600",
      description = "How long an emitter has to wait before the batch is dropped after all.")
  int max_wait_seconds() default 30;

  @AttributeDefinition(name = "Try again", description = "Whether a batch is tried again when the function fails, as often as "
      + "the settings of the invoker say. Off: at most once.")
  boolean again() default true;
}

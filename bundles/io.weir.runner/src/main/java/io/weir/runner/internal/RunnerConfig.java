package io.weir.runner.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = SparePool.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir runners",
    description = "Keeps preloaded containers in which the handlers of functions are loaded on first use.")
@interface RunnerConfig {
  @AttributeDefinition(name = "Spares", min = "0", max = "8",
      description = "Runners that wait for each language and size (memory, CPU, port) that functions with a handler use; "
          + "0 starts one when it is needed.")
  int spares() default 1;

  @AttributeDefinition(name = "Start timeout (s)", min = "1", max = "3600",
      description = "How long a runner may take from its creation until it listens.")
  int start_timeout_seconds() default 30;

  @AttributeDefinition(name = "Load timeout (s)", min = "1", max = "3600",
      description = "How long a handler may take to load: what it does outside of its handle function.")
  int load_timeout_seconds() default 30;
}

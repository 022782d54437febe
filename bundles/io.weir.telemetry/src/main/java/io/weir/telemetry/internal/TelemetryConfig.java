package io.weir.telemetry.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = TelemetryConfig.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir telemetry",
    description = "The recent events of the gateway and what counts as ready.")
public @interface TelemetryConfig {
  String PID = "io.weir.telemetry";
  int MIN_RING = 16;
  int MAX_RING = 65_536;

  @AttributeDefinition(name = "Events kept", description = "How many recent events are kept in memory.", min = "16",
      max = "65536", required = false)
  int ring_size() default 1024;

  @AttributeDefinition(name = "Parts", description = "Parts that must be ready before the gateway calls itself ready, "
      + "separated by commas.", required = false)
  String parts() default "engine,broker,mqtt,http,kernel";
}

package io.weir.registry.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = FunctionConfig.PID, name = "Weir function",
    description = "One function: a container image that serves HTTP, and what makes it run.")
public @interface FunctionConfig {
  String PID = "io.weir.function";

  @AttributeDefinition(name = "Name", required = false, description = "Lower-case letters, digits and hyphens, at most "
      + "63. Empty: the name of the configuration.")
  String name() default "";

  @AttributeDefinition(name = "Image", description = "Image as Podman knows it, for example "
      + "localhost/thermo-alert:1. It must be on the gateway; it is not pulled.")
  String image() default "";

  @AttributeDefinition(name = "Port", description = "TCP port in the container on which the function serves HTTP.",
      min = "1", max = "65535", required = false)
  int port() default Defaults.PORT;

  @AttributeDefinition(name = "Triggers", required = false, description = "One per line: 'mqtt sensors/+/temperature "
      + "qos=1 path=/' or 'http /thermo'. Requests to /function/NAME/ need no trigger.|TextArea")
  String triggers() default "";

  @AttributeDefinition(name = "Output topic", required = false, description = "Where answers to MQTT messages go. {1} "
      + "stands for what the first wildcard matched, {2} for the second. Empty: answers are dropped.")
  String output() default "";

  @AttributeDefinition(name = "Memory", description = "Memory of one instance, for example 64MiB; 6MiB or more. Units: "
      + "KiB, MiB, GiB.", required = false)
  String memory() default Defaults.MEMORY;

  @AttributeDefinition(name = "CPUs", description = "CPU cores one instance may use; 0.5 is half a core.", min = "0.01",
      max = "1024", required = false)
  double cpus() default Defaults.CPUS;

  @AttributeDefinition(name = "Processes", description = "Processes and threads one instance may have.", min = "1",
      max = "32768", required = false)
  int pids() default Defaults.PIDS;

  @AttributeDefinition(name = "Fewest instances", description = "Instances that are always kept; 0 lets the function "
      + "sleep.", min = "0", max = "100", required = false)
  int instances_min() default Defaults.MIN_INSTANCES;

  @AttributeDefinition(name = "Most instances", description = "Instances at most.", min = "1", max = "100",
      required = false)
  int instances_max() default Defaults.MAX_INSTANCES;

  @AttributeDefinition(name = "Concurrency", description = "Requests one instance serves at a time.", min = "1",
      max = "1000", required = false)
  int concurrency() default Defaults.CONCURRENCY;

  @AttributeDefinition(name = "Idle time", description = "How long an instance without work is kept, 1s to 24h. Units: "
      + "ms, s, m, h.", required = false)
  String idle() default Defaults.IDLE;

  @AttributeDefinition(name = "Timeout", description = "How long one request may take, 100ms to 1h.", required = false)
  String timeout() default Defaults.TIMEOUT;

  @AttributeDefinition(name = "Environment", required = false, description = "Environment variables, one KEY=VALUE per "
      + "line; \\n in a value is a line break, \\\\ a backslash.|TextArea")
  String env() default "";
}

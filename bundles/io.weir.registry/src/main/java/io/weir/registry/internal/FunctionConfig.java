package io.weir.registry.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

@ObjectClassDefinition(id = FunctionConfig.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir function",
    description = "One function: a container image that serves HTTP or the program of a handler, and what makes it "
        + "run.")
public @interface FunctionConfig {
  String PID = "io.weir.function";

  @AttributeDefinition(name = "Name", required = false, description = "Lower-case letters, digits and hyphens, at most "
      + "63. Empty: the name of the configuration.")
  String name() default "";

  @AttributeDefinition(name = "Image", required = false, description = "Image as Podman knows it, for example "
      + "localhost/thermo-alert:1. It must be on the gateway; it is not pulled. Empty: there is a runtime instead.")
  String image() default "";

  @AttributeDefinition(name = "Runtime", required = false, description = "Language of the function's program, if it is "
      + "a handler that Weir loads and no image.", options = {@Option(label = "None: an image", value = ""),
          @Option(label = "Python", value = "python"), @Option(label = "Node.js", value = "node"),
          @Option(label = "Java", value = "java")})
  String runtime() default "";

  @AttributeDefinition(name = "Handler", required = false, description = "What the program's file is called in messages, "
      + "for example thermo.py. Empty: handler.py, handler.js or Handler.java.")
  String handler() default "";

  @AttributeDefinition(name = "Program", required = false, description = "The program itself, at most 256 KiB. Only with "
      + "a runtime.|TextArea")
  String code() default "";

  @AttributeDefinition(name = "Port", description = "TCP port in the container on which the function serves HTTP.",
      min = "1", max = "65535", required = false)
  int port() default Defaults.PORT;

  @AttributeDefinition(name = "Triggers", required = false, description = "One per line: 'mqtt sensors/+/temperature "
      + "qos=1 path=/' or 'http /thermo'. With 'fast=kernel' after the path the kernel brings the messages of an exact "
      + "topic to the function by itself; without, delivery=, order=, attempts=, deadline= and priority= may follow, in this "
      + "order. Requests to /function/NAME/ need no trigger.|TextArea")
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

  @AttributeDefinition(name = "Idle time", description = "How long an instance without work holds memory at most, 1s to "
      + "24h. Units: ms, s, m, h.", required = false)
  String idle() default Defaults.IDLE;

  @AttributeDefinition(name = "Resting place", required = false, description = "Where the function rests while nobody "
      + "calls it. The warmer, the sooner it answers and the more memory it holds.", options = {
          @Option(label = "Automatic: what costs least on this device", value = "auto"),
          @Option(label = "Image: nothing but the image on disk", value = "image"),
          @Option(label = "Created: a container without a process", value = "created"),
          @Option(label = "Armed: a container that only has to start", value = "armed"),
          @Option(label = "Frozen: a process that gets no CPU", value = "frozen"),
          @Option(label = "Running: a process that runs", value = "running")})
  String rest() default Defaults.REST;

  @AttributeDefinition(name = "Priority", required = false, description = "Who gives way when memory is short: low before "
      + "normal before high.", options = {@Option(label = "Low", value = "low"),
          @Option(label = "Normal", value = "normal"), @Option(label = "High", value = "high")})
  String priority() default Defaults.PRIORITY;

  @AttributeDefinition(name = "Timeout", description = "How long one request may take, 100ms to 1h.", required = false)
  String timeout() default Defaults.TIMEOUT;

  @AttributeDefinition(name = "Environment", required = false, description = "Environment variables, one KEY=VALUE per "
      + "line; \\n in a value is a line break, \\\\ a backslash.|TextArea")
  String env() default "";

  @AttributeDefinition(name = "Service port", description = "TCP port of the gateway at which the function is reached "
      + "directly, 1024 to 65535. 0: the gateway chooses one and keeps it.", min = "0", max = "65535", required = false)
  int service_port() default 0;

  @AttributeDefinition(name = "Service clients", required = false, description = "Networks from which the service port may "
      + "be reached, one per line, for example 192.168.1.0/24. Empty: all.|TextArea")
  String service_from() default "";

  @AttributeDefinition(name = "Service connection rate", description = "New connections per second that one client may "
      + "make to the service port. 0: no limit.", min = "0", max = "100000", required = false)
  int service_rate() default Defaults.SERVICE_RATE;

  @AttributeDefinition(name = "Service connection burst", description = "Connections one client may make at once before "
      + "the rate counts.", min = "0", max = "100000", required = false)
  int service_burst() default Defaults.SERVICE_BURST;

  @AttributeDefinition(name = "Egress", required = false, description = "What the function may connect to, one per line: "
      + "a network such as 10.0.0.0/8, an address with a port such as 192.168.1.10:443, or 'any'. Empty: nothing but the "
      + "gateway itself.|TextArea")
  String egress() default "";
}

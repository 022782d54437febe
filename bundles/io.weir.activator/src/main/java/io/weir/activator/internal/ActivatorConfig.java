package io.weir.activator.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = Activator.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir service addresses",
    description = "Gives each function a TCP port of the gateway, and holds connections while an instance starts.")
@interface ActivatorConfig {
  @AttributeDefinition(name = "Ports", required = false, description = "Range from which functions without a service port "
      + "of their own get one, FIRST-LAST. Keep away from the kernel's ephemeral ports, which begin at 32768.")
  String ports() default "20000-20999";

  @AttributeDefinition(name = "Interfaces", required = false, description = "Network interfaces on which functions are "
      + "reached from the LAN, separated by commas, for example eth0, wlan0; * means all that are not virtual. Empty: "
      + "loopback only. There is no authentication: whoever reaches an interface can call every function.")
  String interfaces() default "";

  @AttributeDefinition(name = "Connections per function", min = "1", max = "100000", required = false,
      description = "Connections of one function that the gateway holds or carries; more are answered with 503.")
  int held_per_function() default 1000;

  @AttributeDefinition(name = "Connections", min = "1", max = "100000", required = false,
      description = "Connections that the gateway holds or carries altogether; more are answered with 503.")
  int held_total() default 4096;

  @AttributeDefinition(name = "Patience (s)", min = "1", max = "3600", required = false,
      description = "How long a request waits for an instance before it is answered with 503 or 504.")
  int patience_seconds() default 30;

  @AttributeDefinition(name = "Head timeout (s)", min = "1", max = "3600", required = false,
      description = "How long a client may take to send the head of its first request.")
  int head_timeout_seconds() default 10;

  @AttributeDefinition(name = "Stall timeout (s)", min = "1", max = "86400", required = false,
      description = "How long a client may neither send nor take anything in the midst of a request, or between two, "
          + "before its connection is closed.")
  int stall_timeout_seconds() default 60;
}

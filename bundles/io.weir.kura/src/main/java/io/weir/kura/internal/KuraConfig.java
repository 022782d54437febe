package io.weir.kura.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = KuraConfig.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir in Kura",
    description = "How Weir works together with this gateway: remote administration and watchdog.")
@interface KuraConfig {
  String PID = "io.weir.kura";

  @AttributeDefinition(name = "Remote administration", description = "Whether requests to the application WEIR-V1 that come "
      + "over Kura's cloud connections are answered. Whoever may send them can do everything the admin API can.")
  boolean remote() default true;

  @AttributeDefinition(name = "Remote administration may change things", description = "Off: only what reads is answered.")
  boolean remote_changes() default true;

  @AttributeDefinition(name = "Watchdog", description = "Whether Kura's watchdog is told that Weir is alive. If its threads "
      + "hang for longer than the time below, and the watchdog is enabled, the gateway starts again. A missing Podman or a "
      + "failing function is no reason.")
  boolean watchdog() default true;

  @AttributeDefinition(name = "Watchdog timeout (s)", min = "10", max = "3600",
      description = "How long Weir may be silent.")
  int watchdog_timeout_seconds() default 60;
}

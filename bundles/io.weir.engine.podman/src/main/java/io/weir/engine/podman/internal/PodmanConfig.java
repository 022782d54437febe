package io.weir.engine.podman.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = PodmanEngine.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir container engine",
    description = "How functions are run: by a Podman service of the gateway's own, or by one that is there already.")
public @interface PodmanConfig {

  @AttributeDefinition(name = "Podman socket", required = false,
      description = "Path of the unix socket of a running Podman service, for example /run/podman/podman.sock. "
          + "Empty: the gateway runs a Podman service of its own with its own storage.")
  String socket() default "";

  @AttributeDefinition(name = "Podman program", description = "Name or path of the podman program the gateway runs.")
  String podman() default "podman";

  @AttributeDefinition(name = "OCI runtime", required = false,
      description = "crun, runc or a path; empty: crun from 1.20 on, otherwise runc where it is installed. "
          + "Only for the gateway's own service.")
  String runtime() default "";

  @AttributeDefinition(name = "Network", description = "Podman network the functions join when a Podman that was there "
      + "already runs as root. It is made if it does not exist. The gateway's own Podman does without.")
  String network() default "weir";

  @AttributeDefinition(name = "Subnet", required = false,
      description = "IPv4 subnet of the functions' network, for example 10.213.64.0/22, when the gateway makes it; "
          + "empty: one that no route of this machine uses.")
  String subnet() default "";

  @AttributeDefinition(name = "IPv6 subnet", required = false,
      description = "IPv6 subnet of the functions' network, a /64 such as fd12:3456:789a::/64; empty: a private one of the "
          + "gateway's own; none: functions have no IPv6. Only for the gateway's own service when it runs as root.")
  String subnet6() default "";

  @AttributeDefinition(name = "Networks kept ready", min = "0", max = "64",
      description = "So many network namespaces wait for functions that start. One costs about 250 kB of memory; "
          + "a start that finds none makes its own. Only for the gateway's own service when it runs as root.")
  int ready_networks() default 4;

  @AttributeDefinition(name = "Time limit of a call (s)", min = "1", max = "600",
      description = "After so many seconds a call to Podman counts as failed.")
  int call_timeout_seconds() default 30;

  @AttributeDefinition(name = "Time limit of a start (s)", min = "1", max = "600",
      description = "After so many seconds the start of a container counts as failed.")
  int start_timeout_seconds() default 30;

  @AttributeDefinition(name = "Time limit of image work (s)", min = "1", max = "86400",
      description = "After so many seconds the build, import, load or pull of an image counts as failed.")
  int image_timeout_seconds() default 1800;

  @AttributeDefinition(name = "Patience with the service (s)", min = "0", max = "60",
      description = "So long a call waits for a Podman service that is just being started or restarted.")
  int service_wait_seconds() default 5;
}

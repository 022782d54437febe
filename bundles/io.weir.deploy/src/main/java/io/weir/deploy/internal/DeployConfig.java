package io.weir.deploy.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = DeployConfig.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir packages",
    description = "Installs function packages (.weirpkg) that are uploaded or dropped in a folder.")
public @interface DeployConfig {
  String PID = "io.weir.deploy";

  @AttributeDefinition(name = "Folder of trusted keys", required = false, description = "Absolute path; holds Ed25519 public "
      + "keys, *.pem or *.pub. With a key in it only packages that one of them signed are taken. Empty: trust.d in the "
      + "gateway's data folder, which need not exist.")
  String trust_folder() default "";

  @AttributeDefinition(name = "Drop folder", required = false, description = "Absolute path; packages that are put there "
      + "are installed. Empty: packages.d in the gateway's data folder. none: no folder is watched.")
  String drop_folder() default "";

  @AttributeDefinition(name = "Largest package", required = false, min = "1", max = "1048576",
      description = "In MiB, unpacked.")
  int max_mib() default 2048;

  @AttributeDefinition(name = "Time to become ready", required = false, min = "1", max = "3600",
      description = "In seconds. A new version that has not started by then is given up, and the old one runs on.")
  int ready_timeout_seconds() default 60;
}

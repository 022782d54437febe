package io.weir.registry.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = FolderConfig.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir functions folder",
    description = "The folder whose weir.yaml files are applied when they appear, change or go.")
public @interface FolderConfig {
  String PID = "io.weir.registry";

  @AttributeDefinition(name = "Folder", required = false, description = "Absolute path; files named *.yaml and *.yml "
      + "in it are read. Empty: functions.d in the gateway's data folder.")
  String folder() default "";
}

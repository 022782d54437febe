package io.weir.kura.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

@ObjectClassDefinition(id = CloudLinkConfig.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir cloud link",
    description = "Calls a function with what a cloud subscriber brings, and hands what functions answer to a cloud publisher.")
@interface CloudLinkConfig {
  String PID = "io.weir.kura.CloudLink";
  String NOBODY = "(kura.service.pid=changeme)";

  @AttributeDefinition(name = "Function", description = "The function's name.")
  String function() default "changeme";

  @AttributeDefinition(name = "Cloud subscriber", required = false, description = "Whose messages call the function. None: "
      + "only what others call it with.")
  String CloudSubscriber_target() default NOBODY;

  @AttributeDefinition(name = "Cloud publisher", required = false, description = "Where the function's answers go. None: "
      + "answers to messages of the subscriber are dropped.")
  String CloudPublisher_target() default NOBODY;

  @AttributeDefinition(name = "What the publisher gets", description = "Answers to the subscriber's messages only, or also "
      + "those to messages that came by MQTT.", options = {
          @Option(label = "Answers to the subscriber's messages", value = "subscriber"),
          @Option(label = "Answers to MQTT messages too", value = "all")})
  String answers() default "all";

  @AttributeDefinition(name = "What the function gets", description = "The whole message as JSON, or its body alone, as it "
      + "is.", options = {@Option(label = "JSON: metrics, position, time, body", value = "json"),
          @Option(label = "The body alone", value = "body")})
  String request() default "json";

  @AttributeDefinition(name = "Path", description = "Path of the function that is called, beginning with a slash.")
  String path() default "/";

  @AttributeDefinition(name = "Messages in work", min = "1", max = "10000", description = "Messages of the subscriber that "
      + "may wait for the function. More are dropped, which the log tells.")
  int max_waiting() default 100;
}

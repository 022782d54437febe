package io.weir.gateway.mqtt.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = MqttGateway.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir MQTT gateway",
    description = "Carries messages from the broker to functions, and their answers back")
public @interface MqttGatewayConfig {
  @AttributeDefinition(name = "Messages in work", min = "1", max = "1000",
      description = "Messages of one function that the broker hands over before the first is done. Less for functions "
          + "that could not work on so many: never more than twice what their instances serve at a time.")
  int max_in_flight() default 32;

  @AttributeDefinition(name = "Session expiry", min = "0", max = "2147483647",
      description = "Seconds the broker keeps messages for a gateway that is away")
  int session_expiry_seconds() default 14 * 24 * 3600;

  @AttributeDefinition(name = "Largest answer", min = "1024", max = "268435455",
      description = "Largest answer of a function that is published, in bytes; the broker's limit applies as well")
  int max_answer_bytes() default 1 << 20;

  @AttributeDefinition(name = "Keep alive", min = "1", max = "3600",
      description = "Seconds of silence after which the connection is checked; after half as many again it is replaced")
  int keep_alive_seconds() default 30;
}

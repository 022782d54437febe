package io.weir.broker.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.AttributeType;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

@ObjectClassDefinition(id = MosquittoBroker.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir broker",
    description = "The MQTT broker: the bundled Mosquitto, or another one at an address")
public @interface BrokerConfig {
  @AttributeDefinition(name = "External broker", required = false,
      description = "Address of a broker that somebody else runs, for example tcp://192.0.2.7:1883 or "
          + "ssl://broker.example:8883. Empty: the gateway runs the bundled one.")
  String url() default "";

  @AttributeDefinition(name = "User name", required = false,
      description = "What the gateway logs in with at the external broker; empty for none")
  String username() default "";

  @AttributeDefinition(name = "Password", required = false, type = AttributeType.PASSWORD,
      description = "Password for the external broker")
  String _password() default "";

  @AttributeDefinition(name = "Listen address",
      description = "Address the bundled broker listens on; 127.0.0.1 keeps it to this machine, 0.0.0.0 opens it to "
          + "the network and then needs users")
  String host() default "127.0.0.1";

  @AttributeDefinition(name = "Port", min = "1", max = "65535", description = "TCP port of the bundled broker")
  int port() default 1883;

  @AttributeDefinition(name = "Largest message", min = "1024", max = "268435455",
      description = "Largest payload the bundled broker accepts, in bytes")
  int max_message_bytes() default 1 << 20;

  @AttributeDefinition(name = "Queue length", min = "1", max = "10000000",
      description = "Messages the bundled broker keeps for one client that is away or slow; more are dropped")
  int max_queued_messages() default 50_000;

  @AttributeDefinition(name = "Queue size", min = "1024", max = "2147483647",
      description = "Bytes the bundled broker keeps for one client that is away or slow; more are dropped")
  int max_queued_bytes() default 64 << 20;

  @AttributeDefinition(name = "Save every", min = "1", max = "86400",
      description = "Seconds between two savings of sessions and queued messages to disk. What came since the last one "
          + "is lost if the power fails; each saving writes everything, so short times wear out an SD card.")
  int autosave_seconds() default 60;

  @AttributeDefinition(name = "Anonymous clients",
      description = "Whether clients may connect without a name; auto: only if the broker listens on this machine "
          + "alone and has no users",
      options = {@Option(label = "Automatic", value = "auto"), @Option(label = "Allowed", value = "true"),
          @Option(label = "Refused", value = "false")})
  String anonymous() default "auto";

  @AttributeDefinition(name = "Users", required = false, type = AttributeType.PASSWORD,
      description = "One user per line: NAME:PASSWORD, or NAME:$7$… as mosquitto_passwd writes it")
  String _users() default "";

  @AttributeDefinition(name = "Program", required = false,
      description = "Path of the mosquitto to run; empty: the bundled one, or else the system's")
  String executable() default "";
}

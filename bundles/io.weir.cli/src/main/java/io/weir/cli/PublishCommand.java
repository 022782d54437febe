package io.weir.cli;

import io.weir.cli.gateway.Publisher;
import io.weir.cli.gateway.Topics;
import io.weir.cli.ui.ExitCode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "publish", description = "Publish one MQTT message to the gateway's broker.")
final class PublishCommand extends Verb {
  @Option(names = "--topic", required = true, paramLabel = "TOPIC", description = "where to")
  private String topic = "";

  @ArgGroup(multiplicity = "1")
  private @Nullable Payload payload;

  @Option(names = "--qos", paramLabel = "0|1|2", defaultValue = "1", description = "quality of service (default: 1)")
  private int qos = 1;

  @Option(names = "--content-type", paramLabel = "TYPE", description = "the MQTT 5 content type")
  private @Nullable String contentType;

  @Option(names = "--property", paramLabel = "NAME=VALUE", description = "an MQTT 5 user property; may be repeated")
  private Map<String, String> properties = new LinkedHashMap<>();

  @Option(names = "--broker", paramLabel = "URI", description = "default: the broker the gateway names")
  private @Nullable String broker;

  @Option(names = "--user", paramLabel = "NAME", description = "for the broker; the password is read from $WEIR_MQTT_PASSWORD")
  private @Nullable String user;

  static final class Payload {
    @Option(names = {"-m", "--message"}, paramLabel = "TEXT", description = "the payload")
    private @Nullable String message;

    @Option(names = {"-f", "--file"}, paramLabel = "FILE", description = "a file that holds the payload")
    private @Nullable Path file;

    byte[] bytes() {
      return message != null ? message.getBytes(StandardCharsets.UTF_8) : file != null ? read(file) : new byte[0];
    }
  }

  @Override
  public Integer call() {
    if (qos < 0 || qos > 2) {
      throw misuse("--qos must be 0, 1 or 2, not " + qos);
    }
    try {
      Topics.requireName(topic);
    } catch (IllegalArgumentException e) {
      throw misuse("--topic: " + e.getMessage());
    }
    byte[] bytes = payload == null ? new byte[0] : payload.bytes();
    try (Publisher publisher = broker != null ? Publisher.connect(broker, user) : Publisher.connect(gateway(), null, user)) {
      publisher.publishAndWait(topic, bytes, qos, contentType, properties);
    }
    terminal().result(Map.of("topic", topic, "bytes", bytes.length, "qos", qos),
        () -> terminal().line("published " + bytes.length + " bytes to " + topic));
    return ExitCode.OK;
  }
}

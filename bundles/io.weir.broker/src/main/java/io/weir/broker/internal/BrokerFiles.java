package io.weir.broker.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What lies on disk for the broker: {@code broker/} with configuration, users, rules and its data, which belongs to the
 * account it runs under; {@code broker.password} and {@code broker.pid} beside it, which do not.
 */
final class BrokerFiles {
  static final String CONFIGURATION = "mosquitto.conf";
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private final Path data;
  private final Path directory;

  BrokerFiles(Path data) {
    this.data = data;
    this.directory = data.resolve("broker");
  }

  /** Where the broker runs. It is started in here and uses relative names, so it need not enter what lies above. */
  Path directory() {
    return directory;
  }

  Path pidFile() {
    return data.resolve("broker.pid");
  }

  void makeDirectory() throws IOException {
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
  }

  /** The gateway's own password; made once, readable for the gateway only. */
  String gatewayPassword() throws IOException {
    Path file = data.resolve("broker.password");
    try {
      String password = Files.readString(file).strip();
      if (!password.isEmpty()) {
        return password;
      }
    } catch (NoSuchFileException e) {
      Files.createDirectories(data);
    }
    String password = PasswordHash.random();
    replace(file, password + "\n");
    return password;
  }

  /** Writes everything the broker reads, and hands it to the account it will run under. */
  void write(Settings settings, String gatewayPassword, Optional<Account> account) throws IOException {
    replace(directory.resolve(CONFIGURATION), configuration(settings));
    replace(directory.resolve("users"), users(settings, gatewayPassword));
    replace(directory.resolve("rules"), rules(settings));
    if (account.isPresent()) {
      account.get().own(directory);
      try (var files = Files.list(directory)) {
        for (Path file : (Iterable<Path>) files::iterator) {
          account.get().own(file);
        }
      }
    }
  }

  /** Renames what the broker saved, so that it starts afresh; empty if it saved nothing. */
  Optional<Path> setDataAside() throws IOException {
    Path saved = directory.resolve("mosquitto.db");
    Path aside = directory.resolve("mosquitto.db.damaged");
    if (!Files.exists(saved)) {
      return Optional.empty();
    }
    return Optional.of(Files.move(saved, aside, StandardCopyOption.REPLACE_EXISTING));
  }

  private static String configuration(Settings settings) {
    return String.join("\n", List.of(
        "# Written by the gateway at each start; change the configuration " + MosquittoBroker.PID + " instead.",
        "per_listener_settings false",
        "listener " + settings.port() + " " + settings.host().getHostAddress(),
        "allow_anonymous " + settings.anonymous(),
        "password_file users",
        "acl_file rules",
        // Beyond the payload a packet holds its topic and properties; larger ones are refused without reading them.
        "message_size_limit " + settings.maxMessageBytes(),
        "max_packet_size " + (settings.maxMessageBytes() + (128 << 10)),
        "max_queued_messages " + settings.maxQueuedMessages(),
        "max_queued_bytes " + settings.maxQueuedBytes(),
        // For clients that do not say (MQTT 3.1.1), and what the broker takes from one client before it acknowledges.
        "max_inflight_messages 200",
        // Else a receipt and a message sent together wait 40 ms for each other (Nagle).
        "set_tcp_nodelay true",
        "persistence true",
        "persistence_location ./",
        "autosave_interval " + settings.autosaveSeconds(),
        "persistent_client_expiration 14d",
        "log_dest stdout",
        "log_timestamp false",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "")) ;
  }

  private static String users(Settings settings, String gatewayPassword) {
    List<String> lines = new ArrayList<>();
    lines.add(Settings.GATEWAY_USER + ":" + PasswordHash.of(gatewayPassword));
    settings.users().forEach((name, password) -> lines.add(name + ":" + PasswordHash.of(password)));
    return String.join("\n", lines) + "\n";
  }

  /** Topics below {@code weir/} are the gateway's: others could forge its words or read what failed. */
  private static String rules(Settings settings) {
    String others = "topic readwrite #\ntopic read $SYS/#\ntopic deny weir/#\n";
    StringBuilder text = new StringBuilder("# Clients without a name:\n").append(others);
    settings.users().keySet().forEach(name -> text.append("\nuser ").append(name).append('\n').append(others));
    text.append("\nuser ").append(Settings.GATEWAY_USER).append("\ntopic readwrite #\ntopic read $SYS/#\n");
    return text.toString();
  }

  private static void replace(Path file, String text) throws IOException {
    Path part = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part", OWNER_ONLY);
    Files.writeString(part, text, StandardCharsets.UTF_8);
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}

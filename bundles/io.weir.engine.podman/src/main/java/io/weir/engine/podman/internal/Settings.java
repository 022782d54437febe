package io.weir.engine.podman.internal;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The configuration, checked.
 *
 * @param subnet6 as {@link Subnet6#parse} reads it
 */
record Settings(Optional<Path> socket, String podman, String runtime, String network, Optional<Subnet> subnet,
    String subnet6, Duration callTimeout, Duration startTimeout, Duration imageTimeout, Duration serviceWait,
    int readyNetworks) {
  /** sockaddr_un holds 107 bytes and a zero. */
  private static final int LONGEST_SOCKET_PATH = 107;
  private static final String NAME = "[a-zA-Z0-9][a-zA-Z0-9_.-]*";

  static Settings of(PodmanConfig config) {
    String socket = config.socket().strip();
    if (!socket.isEmpty() && (!socket.startsWith("/") || socket.length() > LONGEST_SOCKET_PATH)) {
      throw invalid("socket", socket, "an absolute path of up to " + LONGEST_SOCKET_PATH + " characters, or empty");
    }
    String podman = config.podman().strip();
    if (podman.isEmpty()) {
      throw invalid("podman", podman, "a program name or path");
    }
    String network = config.network().strip();
    if (!network.matches(NAME)) {
      throw invalid("network", network, "a name of letters, digits, '_', '.' and '-'");
    }
    String subnet = config.subnet().strip();
    String subnet6 = config.subnet6().strip();
    Subnet6.parse(subnet6, Subnet6.local(0));
    return new Settings(socket.isEmpty() ? Optional.empty() : Optional.of(Path.of(socket)), podman,
        config.runtime().strip(), network, subnet.isEmpty() ? Optional.empty() : Optional.of(Subnet.parse(subnet)),
        subnet6,
        seconds("call.timeout.seconds", config.call_timeout_seconds(), 1, 600),
        seconds("start.timeout.seconds", config.start_timeout_seconds(), 1, 600),
        seconds("image.timeout.seconds", config.image_timeout_seconds(), 1, 86_400),
        seconds("service.wait.seconds", config.service_wait_seconds(), 0, 60),
        inRange("ready.networks", config.ready_networks(), 0, 64));
  }

  private static Duration seconds(String key, int value, int min, int max) {
    return Duration.ofSeconds(inRange(key, value, min, max));
  }

  private static int inRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw invalid(key, Integer.toString(value), min + ".." + max);
    }
    return value;
  }

  static IllegalArgumentException invalid(String key, String value, String allowed) {
    return new IllegalArgumentException(
        PodmanEngine.PID + ": " + key + " is '" + value + "', but must be " + allowed);
  }
}

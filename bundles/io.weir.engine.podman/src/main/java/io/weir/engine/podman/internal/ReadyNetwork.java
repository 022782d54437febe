package io.weir.engine.podman.internal;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A network namespace with a port in the functions' bridge, ready for a container.
 *
 * @param name as {@code ip netns} knows it
 * @param address IPv4 address of whoever lives in it
 * @param address6 likewise IPv6, if it has one
 */
record ReadyNetwork(String name, String address, Optional<String> address6) {
  /** Where {@code ip netns} keeps them. */
  static final Path FOLDER = Path.of("/run/netns");

  Path path() {
    return FOLDER.resolve(name);
  }
}

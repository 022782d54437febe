package io.weir.broker.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The system account that the broker runs under when the gateway is root. */
record Account(String name, int uid, int gid) {

  /** Nobody else's business: {@code mosquitto} where its package made that user, else {@code nobody}; empty if not root. */
  static Optional<Account> forBroker() {
    if (!isRoot()) {
      return Optional.empty();
    }
    try {
      List<String> accounts = Files.readAllLines(Path.of("/etc/passwd"));
      return find(accounts, "mosquitto").or(() -> find(accounts, "nobody"));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static boolean isRoot() {
    try {
      return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  private static Optional<Account> find(List<String> accounts, String name) {
    return accounts.stream().map(line -> line.split(":")).filter(f -> f.length > 3 && f[0].equals(name)).findFirst()
        .map(f -> new Account(name, Integer.parseInt(f[2]), Integer.parseInt(f[3])));
  }

  void own(Path path) throws IOException {
    Files.setAttribute(path, "unix:gid", gid);
    Files.setAttribute(path, "unix:uid", uid);
  }
}

package io.weir.broker.internal;

import io.weir.child.Root;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The system account that the broker runs under when the gateway can be root. */
record Account(String name, int uid, int gid) {

  /** Nobody else's business: {@code mosquitto} where its package made that user, else {@code nobody}; empty if it cannot. */
  static Optional<Account> forBroker() {
    if (!Root.possible()) {
      return Optional.empty();
    }
    try {
      List<String> accounts = Files.readAllLines(Path.of("/etc/passwd"));
      return find(accounts, "mosquitto").or(() -> find(accounts, "nobody"));
    } catch (IOException e) {
      return Optional.empty();
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

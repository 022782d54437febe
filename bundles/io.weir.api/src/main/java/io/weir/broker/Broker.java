package io.weir.broker;

import java.net.URI;
import java.util.Optional;

/** The MQTT broker that this gateway works with, bundled or somebody else's. Registered as a service once known. */
public interface Broker {

  /** For example {@code tcp://127.0.0.1:1883}; {@code ssl://} for TLS. */
  URI uri();

  /** What the gateway's own clients log in with; empty for an anonymous broker. */
  Optional<Credentials> credentials();

  /** Whether the gateway runs it itself. */
  boolean bundled();

  /** What the operator should know now, in one line, for example {@code running, pid 4711}. */
  String state();

  /** User name and password; {@code toString} hides the password. */
  record Credentials(String username, String password) {
    @Override
    public String toString() {
      return username + ":***";
    }
  }
}

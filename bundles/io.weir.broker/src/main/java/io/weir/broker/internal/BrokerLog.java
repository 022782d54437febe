package io.weir.broker.internal;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Passes on what the broker says: trouble as it is, the comings and goings of clients as debugging. */
final class BrokerLog {
  private static final Logger LOG = LoggerFactory.getLogger("io.weir.broker.mosquitto");

  private BrokerLog() {}

  /** Reads to the end, on a thread of its own. */
  static void follow(InputStream output) {
    Thread thread = new Thread(() -> read(output), "weir-broker-log");
    thread.setDaemon(true);
    thread.start();
  }

  private static void read(InputStream output) {
    try (BufferedReader lines = new BufferedReader(new InputStreamReader(output, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("Error")) {
          LOG.error("{}", line);
        } else if (line.startsWith("Warning") || line.contains("being dropped")) {
          LOG.warn("{}", line);
        } else {
          LOG.debug("{}", line);
        }
      }
    } catch (IOException e) {
      LOG.debug("The broker's output ended", e);
    }
  }
}

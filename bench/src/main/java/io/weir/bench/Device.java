package io.weir.bench;

import io.weir.itest.Gateway;
import java.util.ArrayList;
import java.util.List;

/** A device in the gateway's LAN: a network namespace at the other end of a cable. */
final class Device implements AutoCloseable {
  /** The gateway's address in the LAN, of the range that RFC 2544 sets aside for benchmarks. */
  static final String GATEWAY = "198.19.200.1";
  private static final String OWN = "198.19.200.2";

  private final String namespace = "wd" + ProcessHandle.current().pid();
  /** The gateway's interface to the LAN. */
  private final String port = "wl" + ProcessHandle.current().pid();

  Device() throws Exception {
    Gateway.exec("ip", "netns", "add", namespace);
    try {
      Gateway.exec("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace);
      Gateway.exec("ip", "addr", "add", GATEWAY + "/24", "dev", port);
      Gateway.exec("ip", "link", "set", port, "up");
      Gateway.exec("ip", "-n", namespace, "addr", "add", OWN + "/24", "dev", "eth0");
      Gateway.exec("ip", "-n", namespace, "link", "set", "lo", "up");
      Gateway.exec("ip", "-n", namespace, "link", "set", "eth0", "up");
      Gateway.exec("ip", "-n", namespace, "route", "add", "default", "via", GATEWAY);
      // A client that opens thousands of connections would otherwise meet its own ones in TIME_WAIT.
      exec("sysctl", "-qw", "net.ipv4.tcp_max_tw_buckets=0");
    } catch (Exception e) {
      close();
      throw e;
    }
  }

  String port() {
    return port;
  }

  String exec(String... command) throws Exception {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
    all.addAll(List.of(command));
    return Gateway.exec(all.toArray(String[]::new));
  }

  /** The cable goes with the namespace. */
  @Override
  public void close() throws Exception {
    Gateway.exec("ip", "netns", "del", namespace);
  }
}

package io.weir.bench;

import io.weir.itest.Gateway;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Network namespaces for the containers that Weir is compared with, made before anything is timed: Weir has some ready
 * too. Each is the other end of a cable from this machine, with addresses of 198.18.0.0/15, which RFC 2544 sets aside
 * for benchmarks. Thread-safe.
 */
final class Namespaces implements AutoCloseable {
  private static final int PORT = 8080;

  private final Deque<Namespace> free = new ArrayDeque<>();
  private final List<String> made = new ArrayList<>();

  record Namespace(String name, InetSocketAddress function) {
    String path() {
      return "/run/netns/" + name;
    }
  }

  synchronized Namespace take() throws Exception {
    return free.isEmpty() ? make() : free.poll();
  }

  synchronized void giveBack(Namespace unused) {
    free.add(unused);
  }

  private Namespace make() throws Exception {
    int number = made.size();
    String name = "wb" + ProcessHandle.current().pid() + "-" + number;
    String network = "198.18." + number / 64 + ".";
    int host = number % 64 * 4;
    made.add(name);
    Gateway.exec("ip", "netns", "add", name);
    Gateway.exec("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name);
    Gateway.exec("ip", "addr", "add", network + (host + 1) + "/30", "dev", name);
    Gateway.exec("ip", "link", "set", name, "up");
    Gateway.exec("ip", "-n", name, "addr", "add", network + (host + 2) + "/30", "dev", "eth0");
    Gateway.exec("ip", "-n", name, "link", "set", "lo", "up");
    Gateway.exec("ip", "-n", name, "link", "set", "eth0", "up");
    Gateway.exec("ip", "-n", name, "route", "add", "default", "via", network + (host + 1));
    return new Namespace(name, new InetSocketAddress(network + (host + 2), PORT));
  }

  /** The namespace takes its end of the cable with it, and that the other one. */
  @Override
  public synchronized void close() throws Exception {
    for (String name : made) {
      Gateway.exec("ip", "netns", "del", name);
    }
    made.clear();
    free.clear();
  }
}

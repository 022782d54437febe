package io.weir.engine.podman.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** This machine's IPv6, which it may not have, and its settings. */
final class HostIpv6 {
  private static final Logger LOG = LoggerFactory.getLogger(HostIpv6.class);
  private static final Path INTERFACES = Path.of("/proc/net/if_inet6");
  private static final Path ROUTES = Path.of("/proc/net/ipv6_route");
  private static final Path SETTINGS = Path.of("/proc/sys/net/ipv6/conf");
  private static final String ANYWHERE = "0".repeat(32) + " 00 ";

  private HostIpv6() {}

  /** Whether the kernel speaks it at all; not with {@code ipv6.disable=1}. */
  static boolean exists() {
    return Files.exists(INTERFACES);
  }

  /** Whether the operator lets it be used. */
  static boolean enabled() {
    return exists() && !"1".equals(get("all", "disable_ipv6"));
  }

  /** Whether a route leads to other machines. */
  static boolean leadsOutside() {
    try (Stream<String> routes = Files.lines(ROUTES)) {
      return leadsOutside(routes);
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }

  /** @param procNetIpv6Route lines of {@code /proc/net/ipv6_route} */
  static boolean leadsOutside(Stream<String> procNetIpv6Route) {
    return procNetIpv6Route.anyMatch(line -> line.startsWith(ANYWHERE) && !line.endsWith(" lo"));
  }

  /**
   * Lets an interface have IPv6 or not. Whoever sits behind it is not asked for a way to the internet.
   *
   * @throws IOException if the kernel does not let us
   */
  static void allow(String device, boolean allowed) throws IOException {
    if (Files.isDirectory(SETTINGS.resolve(device))) {
      set(device, "accept_ra", "0");
      set(device, "disable_ipv6", allowed ? "0" : "1");
    }
  }

  /**
   * Makes this machine a router. One that is a router takes no more advice from others unless it is told to, and would lose
   * its own way out.
   *
   * @throws IOException if the kernel does not let us
   */
  static void forward() throws IOException {
    if ("1".equals(get("all", "forwarding"))) {
      return;
    }
    for (String device : devices()) {
      if ("1".equals(get(device, "accept_ra"))) {
        set(device, "accept_ra", "2");
      }
    }
    set("all", "forwarding", "1");
  }

  private static List<String> devices() throws IOException {
    try (Stream<Path> all = Files.list(SETTINGS)) {
      return all.map(path -> path.getFileName().toString()).filter(name -> !name.equals("all")).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static String get(String device, String key) {
    try {
      return Files.readString(SETTINGS.resolve(device).resolve(key)).strip();
    } catch (IOException e) {
      LOG.trace("{} of {} cannot be read", key, device, e);
      return "";
    }
  }

  private static void set(String device, String key, String value) throws IOException {
    if (!value.equals(get(device, key))) {
      Files.writeString(SETTINGS.resolve(device).resolve(key), value);
    }
  }
}

package io.weir.activator.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The gateway's own addresses on which services are reached, as they are now. */
final class Interfaces {
  private static final String ALL = "*";
  private static final String LOOPBACK = "lo";
  private static final Path CLASS = Path.of("/sys/class/net");
  private static final Path VIRTUAL = Path.of("/sys/devices/virtual/net");

  /**
   * @param addresses loopback first
   * @param missing interfaces that were named and are not there, are down or have no address
   */
  record Found(List<InetAddress> addresses, Set<String> missing) {}

  /** What the machine has; tests have others. */
  interface Source {
    Found look();
  }

  private Interfaces() {}

  static Found look(Set<String> wanted) {
    List<InetAddress> addresses = new ArrayList<>();
    Set<String> missing = new TreeSet<>(wanted);
    missing.remove(ALL);
    try {
      for (NetworkInterface each : candidates(wanted)) {
        if (each.isLoopback()) {
          missing.remove(each.getName());
          Collections.list(each.getInetAddresses()).stream().filter(InetAddress::isLoopbackAddress).sorted(
              (a, b) -> a.getAddress().length - b.getAddress().length).map(Interfaces::plain).forEach(addresses::add);
        } else if (each.isUp()) {
          List<InetAddress> its = usable(each);
          addresses.addAll(its);
          if (!its.isEmpty()) {
            missing.remove(each.getName());
          }
        }
      }
    } catch (SocketException e) {
      // One that vanishes while it is looked at; the next look will not see it.
      missing.addAll(wanted);
      missing.remove(ALL);
    }
    if (addresses.isEmpty()) {
      addresses.add(InetAddress.getLoopbackAddress());
    }
    addresses.sort((a, b) -> Boolean.compare(b.isLoopbackAddress(), a.isLoopbackAddress()));
    return new Found(List.copyOf(addresses), missing);
  }

  /** Not all if it can be helped: a gateway has two interfaces for each of its containers. */
  private static List<NetworkInterface> candidates(Set<String> wanted) throws SocketException {
    Set<String> names = new TreeSet<>(wanted);
    names.add(LOOPBACK);
    if (names.remove(ALL)) {
      try (Stream<Path> all = Files.list(CLASS)) {
        all.map(path -> path.getFileName().toString()).filter(name -> !Files.exists(VIRTUAL.resolve(name)))
            .forEach(names::add);
      } catch (IOException | UncheckedIOException e) {
        throw new SocketException(CLASS + " cannot be read: " + e.getMessage());
      }
    }
    List<NetworkInterface> some = new ArrayList<>();
    for (String name : names) {
      NetworkInterface each = NetworkInterface.getByName(name);
      if (each != null) {
        some.add(each);
      }
    }
    return some;
  }

  /** Link-local addresses are left out: they mean nothing without the name of an interface, which clients do not send. */
  private static List<InetAddress> usable(NetworkInterface each) {
    return Collections.list(each.getInetAddresses()).stream()
        .filter(address -> !address.isLinkLocalAddress() && !address.isMulticastAddress()).map(Interfaces::plain).toList();
  }

  /** Without the scope that Java notes in IPv6 addresses, so that equal ones are equal. */
  private static InetAddress plain(InetAddress address) {
    try {
      return InetAddress.getByAddress(address.getAddress());
    } catch (java.net.UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }
}

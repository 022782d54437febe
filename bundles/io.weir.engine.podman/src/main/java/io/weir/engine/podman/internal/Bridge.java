package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway's side of the functions' network: a bridge that holds the first address of each of its subnets. Its ports are isolated,
 * so a function reaches the gateway and nobody beside it. Whatever is missing of the bridge is made again by
 * {@link #ensure}. Thread-safe.
 */
final class Bridge {
  private static final Logger LOG = LoggerFactory.getLogger(Bridge.class);
  private static final Path INTERFACES = Path.of("/sys/class/net");

  private final String name;
  private final String ports;
  private final Optional<Subnet> configured;
  private final Supplier<Optional<Subnet>> free;
  private final Optional<Subnet6> wanted6;
  private final Program ip;
  private final Outside outside;
  private Optional<Subnet> subnet = Optional.empty();
  private volatile Optional<Subnet6> active6 = Optional.empty();

  /**
   * @param hash tells this gateway's things from those of others
   * @param configured the subnet the operator wants
   * @param free finds one, if he wants none
   * @param wanted6 the IPv6 network beside it, if there is to be one
   */
  Bridge(int hash, Optional<Subnet> configured, Supplier<Optional<Subnet>> free, Optional<Subnet6> wanted6, Program ip,
      Outside outside) {
    this.name = name(hash);
    this.ports = String.format("w%08x-", hash);
    this.configured = configured;
    this.free = free;
    this.wanted6 = wanted6;
    this.ip = ip;
    this.outside = outside;
  }

  static String name(int hash) {
    return String.format("weir-%08x", hash);
  }

  String name() {
    return name;
  }

  String port(int number) {
    return ports + number;
  }

  /** The IPv6 network beside it, once there is a bridge; empty if functions have none. */
  Optional<Subnet6> subnet6() {
    return active6;
  }

  /** Makes what is missing, takes in ports that lost their bridge, and returns the subnet. */
  synchronized Subnet ensure() {
    Optional<Subnet> found = addressed();
    List<String> orphans = new ArrayList<>();
    for (String port : ports()) {
      if (!has(port)) {
        orphans.add(port);
      }
    }
    if (found.isPresent() && !configured.orElse(found.get()).equals(found.get())) {
      if (ports().isEmpty()) {
        remove();
        found = Optional.empty();
      } else {
        LOG.warn("the functions' network stays {} and not {} until no container of before is left", found.get(),
            configured.get());
      }
    }
    Subnet chosen = found.or(() -> subnet).or(() -> configured).or(free).orElseThrow(() -> new EngineException(
        Code.FAILED, "no subnet is free for the functions; set one in " + PodmanEngine.PID + ", key subnet"));
    if (found.isEmpty()) {
      Subnet.routed().stream().filter(chosen::overlaps).findFirst().ifPresent(taken -> {
        throw new EngineException(Code.FAILED, "the functions' network " + chosen + " overlaps " + taken
            + ", which this machine has a route to; set another one in " + PodmanEngine.PID + ", key subnet");
      });
    }
    make(chosen, orphans);
    subnet = Optional.of(chosen);
    outside.open(name, chosen, active6);
    return chosen;
  }

  /** The subnet; in a moment if the bridge is there. */
  synchronized Subnet ensured() {
    return subnet.isPresent() && exists(name) ? subnet.get() : ensure();
  }

  private void make(Subnet chosen, List<String> orphans) {
    List<String> orders = new ArrayList<>();
    if (!exists(name)) {
      // A fixed address, or it would change with every port that joins, and functions would speak to the old one.
      orders.add("link add " + name + " address " + chosen.mac(1) + " type bridge mcast_snooping 0");
    }
    orders.add("addr replace " + chosen.host(1) + "/" + chosen.prefix() + " dev " + name);
    orders.add("link set " + name + " up");
    for (String port : orphans) {
      orders.addAll(join(port));
    }
    ip.run("making bridge " + name + " for the functions (" + chosen + ")", orders, "-batch", "-");
    active6 = wanted6.filter(this::add);
    if (active6.isEmpty()) {
      withoutIpv6();
    }
  }

  private void withoutIpv6() {
    try {
      HostIpv6.allow(name, false);
    } catch (IOException e) {
      LOG.debug("bridge {} keeps a link-local IPv6 address: {}", name, e.toString());
    }
  }

  /** Functions without IPv6 are better than none: false if it cannot be. */
  private boolean add(Subnet6 network) {
    try {
      HostIpv6.allow(name, true);
      // No second address that nobody knows of; but from a link-local one the kernel asks where a function is to whom
      // it passes on what others sent.
      ip.run("giving bridge " + name + " its IPv6 address", List.of("link set " + name + " addrgenmode none",
          "addr replace " + network.host(1) + "/64 dev " + name + " nodad", "addr replace fe80::1/64 dev " + name + " nodad"),
          "-batch", "-");
      return true;
    } catch (EngineException | IOException e) {
      LOG.warn("functions have no IPv6: {}", e.getMessage());
      return false;
    }
  }

  /** Orders that put a port into the bridge. Isolated first, up last. */
  List<String> join(String port) {
    return List.of("link set " + port + " master " + name, "link set " + port + " type bridge_slave isolated on",
        "link set " + port + " up");
  }

  /** Whether this port exists and is in the bridge. */
  boolean has(String port) {
    return Files.exists(INTERFACES.resolve(name).resolve("brif").resolve(port));
  }

  /** Makes the way outside again if somebody flushed the packet filter. */
  synchronized void mend() {
    if (!addressed().equals(subnet)) {
      ensure();
    } else {
      subnet.ifPresent(chosen -> outside.mend(name, chosen, active6));
    }
  }

  synchronized void remove() {
    outside.close(name);
    if (exists(name)) {
      ip.run("removing bridge " + name, List.of("link del " + name), "-batch", "-");
    }
    subnet = Optional.empty();
  }

  /** The subnet of the bridge as it is. */
  private Optional<Subnet> addressed() {
    try {
      NetworkInterface bridge = NetworkInterface.getByName(name);
      return bridge == null ? Optional.empty() : bridge.getInterfaceAddresses().stream()
          .filter(address -> address.getAddress() instanceof Inet4Address).findFirst().map(Bridge::subnet);
    } catch (SocketException e) {
      throw new EngineException(Code.FAILED, "cannot look at bridge " + name + ": " + e.getMessage(), e);
    }
  }

  private static Subnet subnet(InterfaceAddress address) {
    return Subnet.of((Inet4Address) address.getAddress(), address.getNetworkPrefixLength());
  }

  private List<String> ports() {
    List<String> found = new ArrayList<>();
    try (DirectoryStream<Path> interfaces = Files.newDirectoryStream(INTERFACES, ports + "*")) {
      interfaces.forEach(path -> found.add(path.getFileName().toString()));
    } catch (IOException | DirectoryIteratorException e) {
      throw new EngineException(Code.FAILED, "cannot list network interfaces: " + e.getMessage(), e);
    }
    return found;
  }

  private static boolean exists(String device) {
    return Files.exists(INTERFACES.resolve(device));
  }
}

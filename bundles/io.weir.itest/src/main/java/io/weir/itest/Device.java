package io.weir.itest;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A device in the gateway's LAN: a network namespace at the other end of a cable, with a network of its own. */
public final class Device implements AutoCloseable {
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final int number = NUMBERS.getAndIncrement();
  private final long process = ProcessHandle.current().pid();
  private final NetworkNamespace namespace;
  private final String port = "wl" + process + "-" + number;
  private final int mtu;

  public Device() throws Exception {
    this(1500);
  }

  /** @param mtu of the cable, at both ends */
  public Device(int mtu) throws Exception {
    this.mtu = mtu;
    this.namespace = new NetworkNamespace("wd" + process + "-" + number);
    try {
      plug();
      // A client that opens thousands of connections would otherwise meet its own ones in TIME_WAIT.
      exec("sysctl", "-qw", "net.ipv4.tcp_max_tw_buckets=0");
    } catch (Exception e) {
      close();
      throw e;
    }
  }

  /** Puts the cable in, as a new one is: the gateway's interface has another number than before. */
  public void plug() throws Exception {
    Gateway.exec("ip", "link", "add", port, "mtu", "" + mtu, "type", "veth", "peer", "name", "eth0", "mtu", "" + mtu, "netns",
        namespace.name());
    addresses(port);
    ip("addr", "add", own() + "/30", "dev", "eth0");
    ip("addr", "add", network6() + "2/64", "dev", "eth0", "nodad");
    ip("link", "set", "eth0", "up");
    ip("route", "add", "default", "via", gateway());
    ip("-6", "route", "add", "default", "via", gateway6());
  }

  /** Gives an interface of the gateway the addresses at which this device expects it, and turns it on. */
  void addresses(String interfaceName) throws Exception {
    Gateway.exec("ip", "addr", "add", gateway() + "/30", "dev", interfaceName);
    Gateway.exec("ip", "addr", "add", gateway6() + "/64", "dev", interfaceName, "nodad");
    Gateway.exec("ip", "link", "set", interfaceName, "up");
  }

  /** Takes the cable away, and with it the interfaces at both ends. */
  public void unplug() throws Exception {
    Gateway.exec("ip", "link", "del", port);
  }

  /** The gateway's interface. */
  public String port() {
    return port;
  }

  public String namespace() {
    return namespace.name();
  }

  /** The gateway's address here, of the range that RFC 2544 sets aside for such purposes. */
  public String gateway() {
    return network() + (4 * number + 1);
  }

  public String gateway6() {
    return network6() + "1";
  }

  /** Its own address. */
  public String own() {
    return network() + (4 * number + 2);
  }

  private String network() {
    return "198.18." + process % 200 + ".";
  }

  private String network6() {
    return String.format("fd57:%x:%x::", process & 0xffff, number);
  }

  /** Opens a connection as a program on the device does. */
  public Caller call(String host, int to) throws Exception {
    return namespace.inside(() -> new Caller(host, to));
  }

  /** @param patience until it is connected */
  public Caller call(String host, int to, Duration patience) throws Exception {
    return namespace.inside(() -> new Caller(host, to, patience));
  }

  public Caller call(int to) throws Exception {
    return call(gateway(), to);
  }

  /** A server on the device, at any free port. */
  public ServerSocket listen() throws Exception {
    return namespace.inside(() -> {
      try {
        return new ServerSocket(0, 5, InetAddress.getByName(own()));
      } catch (IOException e) {
        throw new IOException(own() + " on " + namespace.name(), e);
      }
    });
  }

  /** How often its kernel has sent a SYN again so far, because no answer came within a second. */
  public long synsSentAgain() throws Exception {
    List<String[]> lines = namespace.inside(() -> Files.readAllLines(Path.of("/proc/thread-self/net/netstat"))).stream()
        .filter(line -> line.startsWith("TcpExt:")).map(line -> line.split(" ")).toList();
    return Long.parseLong(lines.get(1)[List.of(lines.get(0)).indexOf("TCPSynRetrans")]);
  }

  private void ip(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("ip", "-n", namespace.name()));
    all.addAll(List.of(arguments));
    Gateway.exec(all.toArray(String[]::new));
  }

  /** Runs a program on the device. */
  public String exec(String... command) throws Exception {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace.name()));
    all.addAll(List.of(command));
    return Gateway.exec(all.toArray(String[]::new));
  }

  /** The cable goes with the namespace. */
  @Override
  public void close() throws Exception {
    namespace.close();
  }
}

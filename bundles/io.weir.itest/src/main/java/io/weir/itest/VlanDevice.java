package io.weir.itest;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A device whose frames are tagged, and the gateway's VLAN interface that takes the tags off; vlan.bpf.c does both. */
public final class VlanDevice implements AutoCloseable {
  private final Device device;
  /** The gateway's VLAN interface. */
  private final String port = "wv" + ProcessHandle.current().pid();
  private final String below = port + "b";

  public VlanDevice() throws Exception {
    device = new Device();
    String trunk = device.port();
    Gateway.exec("ip", "addr", "flush", "dev", trunk);
    Gateway.exec("ip", "link", "add", port, "type", "veth", "peer", "name", below);
    try {
      Gateway.exec("ip", "link", "set", below, "up");
      device.addresses(port);
      // The device asks for the gateway's hardware address across the trunk, and sends to what it is told.
      Gateway.exec("ip", "link", "set", trunk, "promisc", "on");
      attach("", trunk, "ingress", "up", compile(below));
      attach("", below, "ingress", "down", compile(trunk));
      Path ends = compile("lo");
      attach(device.namespace(), "eth0", "egress", "tag", ends);
      attach(device.namespace(), "eth0", "ingress", "untag", ends);
    } catch (Exception e) {
      close();
      throw e;
    }
  }

  private static Path compile(String partner) throws Exception {
    Path folder = Files.createDirectories(Path.of(System.getProperty("weir.work")).resolve("vlan"));
    Path source = folder.resolve("vlan.bpf.c");
    try (InputStream in = VlanDevice.class.getResourceAsStream("/vlan.bpf.c")) {
      Files.write(source, in.readAllBytes());
    }
    Path object = folder.resolve(partner + ".o");
    String number = Files.readString(Path.of("/sys/class/net", partner, "ifindex")).strip();
    Gateway.exec("clang", "-O2", "-target", "bpf", "-DPARTNER=" + number, "-I/usr/include/"
        + Gateway.exec("gcc", "-print-multiarch").strip(), "-c", source.toString(), "-o", object.toString());
    return object;
  }

  private static void attach(String namespace, String end, String way, String section, Path object) throws Exception {
    String in = namespace.isEmpty() ? "" : "-n " + namespace;
    Gateway.exec("sh", "-c", "tc " + in + " qdisc add dev " + end + " clsact 2>/dev/null; tc " + in + " filter add dev " + end
        + " " + way + " bpf da obj " + object + " sec " + section);
  }

  public Device device() {
    return device;
  }

  public String port() {
    return port;
  }

  @Override
  public void close() throws Exception {
    device.close();
    Gateway.exec("ip", "link", "del", port);
  }
}

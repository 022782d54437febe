package io.weir.kernel.internal;

import io.weir.engine.Residence;
import io.weir.kernel.Traffic.Member;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** What a member is in the kernel's terms. Guarded by the lock of {@link KernelTraffic}. */
final class Membership {
  private final Ebpf ebpf;
  private final GatewayAddresses gateways = new GatewayAddresses();

  Membership(Ebpf ebpf) {
    this.ebpf = ebpf;
  }

  /** @param ifindex of the host's interface that it is behind, if packets can be led there already, else 0 */
  Instance instance(Member member, int function, int ifindex) {
    Residence residence = member.residence();
    return new Instance(Instance.shortId(member.container()), residence.cgroup().map(ebpf::cgroupId).orElse(0L),
        Layout.address(member.address().getAddress()),
        residence.address6().map(Layout::address).orElse(new byte[Layout.ADDRESS]), function, Layout.LIVE, 0,
        ifindex, member.concurrency(), member.address().getPort(), 0);
  }

  /** The host's interface that it is behind; 0: not known. */
  static int port(Member member) {
    return member.residence().port().map(Membership::ifindex).orElse(0);
  }

  private static int ifindex(String name) {
    try {
      return Integer.parseInt(Files.readString(Path.of("/sys/class/net", name, "ifindex")).strip());
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  /** What is declared, and the gateway itself. */
  List<String> egress(Member member) {
    List<String> all = new ArrayList<>(gateways.of(member.address().getAddress()));
    member.residence().address6().ifPresent(six -> all.addAll(gateways.of(six)));
    all.addAll(member.egress());
    return all;
  }

  /** Where clients were led by an earlier life. */
  static Target target(int slot, Instance instance) {
    return new Target(slot, address(instance.address4(), instance.port()), instance.has(Layout.IPV6)
        ? Optional.of(address(instance.address6(), instance.port())) : Optional.empty());
  }

  private static InetSocketAddress address(byte[] bytes, int port) {
    try {
      return new InetSocketAddress(InetAddress.getByAddress(bytes), port);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Where clients are led; to IPv6 once it is known that it listens there. */
  static Target target(Seat seat) {
    Member member = Objects.requireNonNull(seat.member);
    return new Target(seat.slot, member.address(), member.residence().address6()
        .filter(six -> seat.instance.has(Layout.IPV6)).map(six -> new InetSocketAddress(six, member.address().getPort())));
  }
}

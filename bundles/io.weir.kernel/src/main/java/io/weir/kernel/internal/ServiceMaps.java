package io.weir.kernel.internal;

import io.weir.kernel.Routes;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Service addresses in the maps, for programs in connect(), at interfaces and in socket lookup, as many as there are. */
final class ServiceMaps implements RouteWay {
  private final Maps maps;
  private final Optional<PacketWay> packets;
  private final boolean holds;
  /** Whether there is a map of sources. */
  private final boolean filters;
  private final Set<Integer> claimed = new HashSet<>();
  /** What stands in the map of sources, by function; an earlier life's, too. */
  private final Map<Integer, Set<ByteBuffer>> sources = new HashMap<>();

  /**
   * @param packets leads packets to instances; empty: only connect() is led
   * @param holds whether connections without an instance are handed to one listener
   */
  ServiceMaps(Maps maps, Optional<PacketWay> packets, boolean holds) {
    this.maps = maps;
    this.packets = packets;
    this.holds = holds;
    this.filters = maps.has("sources");
    if (filters) {
      for (byte[] key : maps.ebpf().keys(maps.fd("sources"), Layout.PREFIX)) {
        sources.computeIfAbsent(Layout.function(key), function -> new HashSet<>()).add(ByteBuffer.wrap(key));
      }
    }
  }

  @Override
  public Routes.Way way() {
    return Routes.Way.EBPF;
  }

  /** Slots that take connections, as an earlier life left it. */
  Set<Integer> pinned() {
    Set<Integer> slots = new HashSet<>();
    for (byte[] key : maps.ebpf().keys(maps.fd("services"), Layout.SERVICE_KEY)) {
      byte[] value = new byte[Layout.SERVICE];
      if (maps.ebpf().get(maps.fd("services"), key, value)) {
        slots.addAll(Layout.Service.of(value).slots());
      }
    }
    return slots;
  }

  @Override
  public void reachableAt(Set<InetAddress> addresses) {
    Set<InetAddress> all = new HashSet<>(addresses);
    all.add(InetAddress.getLoopbackAddress());
    all.add(Loopback.SIX);
    Set<ByteBuffer> wanted = new HashSet<>();
    for (InetAddress address : all) {
      byte[] key = Layout.address(address);
      maps.put("addresses", key, Layout.number(1));
      wanted.add(ByteBuffer.wrap(key));
    }
    for (byte[] key : maps.ebpf().keys(maps.fd("addresses"), Layout.ADDRESS)) {
      if (!wanted.contains(ByteBuffer.wrap(key))) {
        maps.delete("addresses", key);
      }
    }
    packets.ifPresent(known -> known.outside().own(addresses));
  }

  @Override
  public void declare(Served service) {
    claimed.add(service.port());
    // Nobody is refused meanwhile who is allowed before and after.
    Set<ByteBuffer> wanted = filters ? sources(service.index(), service.admission().sources()) : Set.of();
    for (ByteBuffer key : wanted) {
      maps.put("sources", key.array(), Layout.number(1));
      sources.computeIfAbsent(service.index(), function -> new HashSet<>()).add(key);
    }
    retarget(service);
    removeSources(service.index(), wanted);
  }

  private static Set<ByteBuffer> sources(int function, List<String> texts) {
    return texts.stream().flatMap(text -> Network.of(text).stream())
        .map(network -> ByteBuffer.wrap(Layout.prefix(function, network))).collect(Collectors.toSet());
  }

  private void removeSources(int function, Set<ByteBuffer> except) {
    Set<ByteBuffer> there = sources.getOrDefault(function, Set.of());
    for (ByteBuffer key : List.copyOf(there)) {
      if (!except.contains(key)) {
        maps.delete("sources", key.array());
        there.remove(key);
      }
    }
    if (there.isEmpty()) {
      sources.remove(function);
    }
  }

  @Override
  public void retarget(Served service) {
    Routes.Admission admission = service.admission();
    int flags = (admission.sources().isEmpty() ? 0 : Layout.FILTERED) | (admission.rate() == 0 ? 0 : Layout.LIMITED);
    maps.put("services", Layout.serviceKey(service.port()), new Layout.Service(service.index(), flags, admission.rate(),
        Math.max(1, admission.burst()), service.targets().stream().map(Target::slot).toList()).bytes());
  }

  @Override
  public void withdraw(Served service) {
    claimed.remove(service.port());
    maps.delete("services", Layout.serviceKey(service.port()));
    removeSources(service.index(), Set.of());
  }

  @Override
  public boolean holdAt(int listener) {
    if (holds) {
      maps.ebpf().listener(maps.fd("listener"), listener);
    }
    return holds;
  }

  @Override
  public boolean arrived(int ifindex) {
    return packets.isPresent() && packets.get().inside().arrived(ifindex);
  }

  @Override
  public void left(Seat seat) {
    packets.ifPresent(known -> known.inside().left(seat.port));
  }

  @Override
  public void look() {
    packets.ifPresent(PacketWay::look);
  }

  @Override
  public void forgetUnclaimed() {
    List<byte[]> stale = new ArrayList<>(maps.ebpf().keys(maps.fd("services"), Layout.SERVICE_KEY));
    stale.removeIf(key -> claimed.contains(Layout.servicePort(key)));
    stale.forEach(key -> maps.delete("services", key));
    packets.ifPresent(PacketWay::forgetUnclaimed);
  }

  @Override
  public void close() {
    packets.ifPresent(PacketWay::close);
  }
}

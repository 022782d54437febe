package io.weir.kernel.internal;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What functions may connect to, in the map egress. The longest prefix decides alone, so a network within another one
 * allows what either allows. Guarded by the lock of {@link KernelTraffic}.
 */
final class EgressRules {
  private static final Logger LOG = LoggerFactory.getLogger(EgressRules.class);

  private final Optional<Maps> maps;
  private final Map<Integer, List<String>> allowed = new HashMap<>();

  /** @param maps empty if no program asks */
  EgressRules(Optional<Maps> maps) {
    this.maps = maps;
  }

  /** Whether anybody is denied anything. */
  boolean hold() {
    return maps.isPresent();
  }

  void allow(int function, List<String> targets) {
    if (maps.isEmpty() || targets.equals(allowed.get(function))) {
      return;
    }
    Map<ByteBuffer, byte[]> wanted = entries(function, targets);
    int map = maps.get().fd("egress");
    wanted.forEach((key, value) -> maps.get().ebpf().put(map, key.array(), value));
    for (byte[] key : maps.get().ebpf().keys(map, Layout.PREFIX)) {
      if (Layout.function(key) == function && !wanted.containsKey(ByteBuffer.wrap(key))) {
        maps.get().ebpf().delete(map, key);
      }
    }
    allowed.put(function, List.copyOf(targets));
  }

  static Map<ByteBuffer, byte[]> entries(int function, List<String> targets) {
    List<Network> networks = targets.stream().flatMap(target -> Network.of(target).stream()).toList();
    Map<ByteBuffer, byte[]> entries = new LinkedHashMap<>();
    for (Network network : networks) {
      List<Integer> ports = networks.stream().filter(wider -> wider.covers(network)).map(Network::port).distinct()
          .sorted().collect(Collectors.toList());
      entries.put(ByteBuffer.wrap(Layout.prefix(function, network)), Layout.egress(ports(network, ports)));
    }
    return entries;
  }

  /** None means every one. */
  private static List<Integer> ports(Network network, List<Integer> ports) {
    OptionalInt every = ports.stream().mapToInt(port -> port).filter(port -> port == 0).findAny();
    if (every.isPresent()) {
      return List.of();
    }
    if (ports.size() > Layout.EGRESS_PORTS) {
      LOG.warn("only ports {} of {} are allowed, not {}: a network has room for {} ports",
          ports.subList(0, Layout.EGRESS_PORTS), network, ports.subList(Layout.EGRESS_PORTS, ports.size()),
          Layout.EGRESS_PORTS);
    }
    return ports.stream().limit(Layout.EGRESS_PORTS).toList();
  }
}

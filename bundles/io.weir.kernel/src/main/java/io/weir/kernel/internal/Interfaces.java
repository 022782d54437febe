package io.weir.kernel.internal;

import io.weir.kernel.internal.Ebpf.Loaded;
import io.weir.kernel.internal.Ebpf.TrafficControl;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The interfaces whose packets programs see: those that own a service address, and the host's ends of instances. An
 * interface may vanish and come back under another number. Guarded by the lock of {@link RouteBook}.
 */
final class Interfaces {
  private static final Logger LOG = LoggerFactory.getLogger(Interfaces.class);
  private static final String IN = "route-in-";
  private static final String OUT = "route-out-";

  private final Ebpf ebpf;
  private final Loaded object;
  private final PinDirectory pins;
  private final Consumer<String> how;
  private final Map<String, Integer> attached = new HashMap<>();
  private Set<InetAddress> addresses = Set.of();
  private boolean clsact;

  /** @param how told by which means it is done */
  Interfaces(Ebpf ebpf, Loaded object, PinDirectory pins, Consumer<String> how) {
    this.ebpf = ebpf;
    this.object = object;
    this.pins = pins;
    this.how = how;
  }

  void own(Set<InetAddress> all) {
    addresses = Set.copyOf(all);
    look();
  }

  /** Attaches where it is missing; detaches where no service address is any more. */
  void look() {
    Set<Integer> owners = owners();
    for (int ifindex : owners) {
      if (!attached.containsKey(IN + ifindex)) {
        attach("weir_route_in", IN, ifindex);
      }
    }
    Map.copyOf(attached).forEach((name, ifindex) -> {
      if (name.startsWith(IN) && !owners.contains(ifindex)) {
        detach(name, ifindex);
      }
    });
  }

  private Set<Integer> owners() {
    if (addresses.isEmpty()) {
      return Set.of();
    }
    try {
      return NetworkInterface.networkInterfaces().filter(Interfaces::isOutside)
          .filter(device -> device.inetAddresses().anyMatch(addresses::contains)).map(NetworkInterface::getIndex)
          .collect(Collectors.toSet());
    } catch (SocketException e) {
      LOG.debug("looking again later", e);
      return attached.entrySet().stream().filter(entry -> entry.getKey().startsWith(IN)).map(Map.Entry::getValue)
          .collect(Collectors.toSet());
    }
  }

  private static boolean isOutside(NetworkInterface device) {
    try {
      return !device.isLoopback();
    } catch (SocketException e) {
      LOG.debug("{} vanished", device, e);
      return false;
    }
  }

  void arrived(int ifindex) {
    if (!attached.containsKey(OUT + ifindex)) {
      attach("weir_route_out", OUT, ifindex);
    }
  }

  private void attach(String program, String prefix, int ifindex) {
    TrafficControl means = ebpf.attachIngress(object, program, ifindex, pins.path(), prefix + ifindex);
    clsact |= means == TrafficControl.CLSACT;
    how.accept(means == TrafficControl.TCX ? "tcx" : "clsact");
    attached.put(prefix + ifindex, ifindex);
  }

  void left(int ifindex) {
    if (attached.containsKey(OUT + ifindex)) {
      detach(OUT + ifindex, ifindex);
    }
  }

  private void detach(String name, int ifindex) {
    attached.remove(name);
    try {
      ebpf.detachIngress(ifindex, pins.path(), name);
    } catch (KernelError e) {
      LOG.debug("{} is gone with its interface", name, e);
    }
  }

  /** Links of an earlier life whose interfaces nobody uses any more. */
  void forgetUnclaimed() {
    for (String link : pins.links()) {
      if ((link.startsWith(IN) || link.startsWith(OUT)) && !attached.containsKey(link)) {
        detach(link, Integer.parseInt(link.substring(link.lastIndexOf('-') + 1)));
      }
    }
  }

  void close() {
    forgetUnclaimed();
    new HashSet<>(attached.keySet()).forEach(name -> detach(name, attached.get(name)));
    if (clsact) {
      everywhere();
    }
  }

  /** Filters, unlike links, are pinned nowhere; the library knows its own and leaves others alone. */
  private void everywhere() {
    try {
      NetworkInterface.networkInterfaces().map(NetworkInterface::getIndex).forEach(ifindex -> detach("none", ifindex));
    } catch (SocketException e) {
      LOG.debug("filters of an earlier life may be left", e);
    }
  }
}

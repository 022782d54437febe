package io.weir.kernel.internal;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The interfaces that own a service address, whose packets a program sees. An interface may vanish and come back under
 * another number. Guarded by the lock of {@link RouteBook}.
 */
final class Interfaces {
  private static final Logger LOG = LoggerFactory.getLogger(Interfaces.class);

  private final Hook hook;
  private final Set<Integer> attached = new HashSet<>();
  private Set<InetAddress> addresses = Set.of();

  Interfaces(Hook hook) {
    this.hook = hook;
  }

  void own(Set<InetAddress> all) {
    addresses = Set.copyOf(all);
    look();
  }

  /** Attaches where it is missing; detaches where no service address is any more. */
  void look() {
    Set<Integer> owners = owners();
    for (int ifindex : owners) {
      if (!attached.contains(ifindex)) {
        hook.attach(ifindex);
        attached.add(ifindex);
      }
    }
    Set.copyOf(attached).stream().filter(ifindex -> !owners.contains(ifindex)).forEach(this::detach);
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
      return Set.copyOf(attached);
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

  private void detach(int ifindex) {
    attached.remove(ifindex);
    hook.detach(ifindex);
  }

  /** Links of an earlier life whose interfaces nobody uses any more. */
  void forgetUnclaimed() {
    hook.pinned().stream().filter(ifindex -> !attached.contains(ifindex)).forEach(this::detach);
  }

  void close() {
    forgetUnclaimed();
    Set.copyOf(attached).forEach(this::detach);
  }
}

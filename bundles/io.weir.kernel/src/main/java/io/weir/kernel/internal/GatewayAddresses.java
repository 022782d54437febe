package io.weir.kernel.internal;

import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The gateway's own address in the network of an instance, which every function may speak to. Not thread-safe. */
final class GatewayAddresses {
  private static final Logger LOG = LoggerFactory.getLogger(GatewayAddresses.class);

  private record Known(Network network, InetAddress own) {}

  private final List<Known> known = new ArrayList<>();

  /** As egress targets; empty if the instance is in no network of this host. */
  List<String> of(InetAddress instance) {
    List<String> found = search(instance);
    if (found.isEmpty()) {
      // Looking takes a while, so it is done once for each network.
      learn();
      found = search(instance);
    }
    return found;
  }

  private List<String> search(InetAddress instance) {
    Network alone = new Network(instance, 8 * instance.getAddress().length, 0);
    return known.stream().filter(each -> each.network().covers(alone)).map(each -> NftScript.text(each.own())).toList();
  }

  private void learn() {
    known.clear();
    try {
      NetworkInterface.networkInterfaces().flatMap(device -> device.getInterfaceAddresses().stream())
          .filter(address -> address.getNetworkPrefixLength() > 0).map(GatewayAddresses::known).forEach(known::add);
    } catch (SocketException e) {
      LOG.debug("functions may not reach the gateway", e);
    }
  }

  private static Known known(InterfaceAddress address) {
    return new Known(new Network(address.getAddress(), address.getNetworkPrefixLength(), 0), address.getAddress());
  }
}

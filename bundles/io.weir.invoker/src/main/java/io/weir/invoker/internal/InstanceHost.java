package io.weir.invoker.internal;

import io.weir.engine.Lease;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HexFormat;
import java.util.List;

/**
 * A host name for each instance that carries its address: {@code weir-hello-1f2e3d4c.x0a9b0004}.
 *
 * <p>The HTTP client keeps idle connections by host name. Containers get the addresses of dead ones again, so by address
 * it would send a request down a connection to a container that is no more.
 */
final class InstanceHost {
  private static final String MARK = ".x";

  private InstanceHost() {}

  static String of(Lease lease) {
    return lease.instance() + MARK + HexFormat.of().formatHex(lease.address().getAddress().getAddress());
  }

  static List<InetAddress> resolve(String host) throws UnknownHostException {
    int mark = host.lastIndexOf(MARK);
    return List.of(InetAddress.getByAddress(HexFormat.of().parseHex(host, mark + MARK.length(), host.length())));
  }
}

package io.weir.kernel.internal;

import java.net.InetSocketAddress;
import java.util.Optional;

/**
 * An instance that takes new connections.
 *
 * @param address6 where it serves IPv6 clients, if it does
 */
record Target(int slot, InetSocketAddress address, Optional<InetSocketAddress> address6) {}

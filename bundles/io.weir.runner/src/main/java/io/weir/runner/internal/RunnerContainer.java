package io.weir.runner.internal;

import java.net.InetSocketAddress;

/**
 * A runner that listens and has no handler yet.
 *
 * @param image what it was made from
 */
record RunnerContainer(String id, String name, Shape shape, String image, InetSocketAddress address) {}

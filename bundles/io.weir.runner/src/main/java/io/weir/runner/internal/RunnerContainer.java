package io.weir.runner.internal;

import io.weir.engine.Runners;
import java.net.InetSocketAddress;

/**
 * A runner that listens and has no handler yet.
 *
 * @param image what it was made from
 */
record RunnerContainer(String id, String name, Shape shape, String image, InetSocketAddress address) {

  /** What it is for the one whose handler it gets. */
  Runners.Runner claimed(boolean preloaded) {
    return new Runners.Runner(id, name, address, preloaded);
  }
}

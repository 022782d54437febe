package io.weir.activator.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.Routes;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;

/** Remembers what it is told. */
final class FakeRoutes implements Routes {
  final BlockingQueue<String> told = new LinkedBlockingQueue<>();
  final boolean holds;
  /** It leads connections of no more functions than that. */
  volatile int most = Integer.MAX_VALUE;
  private final Set<FunctionName> led = ConcurrentHashMap.newKeySet();
  volatile int listener;
  volatile Collection<InetAddress> addresses = List.of();

  FakeRoutes(boolean holds) {
    this.holds = holds;
  }

  @Override
  public Way way() {
    return Way.EBPF;
  }

  @Override
  public void reachableAt(Collection<InetAddress> all) {
    addresses = all;
    told.add("reachable " + all.size());
  }

  @Override
  public Optional<String> declare(FunctionName function, int port, Admission admission) {
    if (!led.contains(function) && led.size() >= most) {
      return Optional.of("no more than " + most);
    }
    led.add(function);
    told.add("declare " + function + " " + admission.sources() + " " + admission.rate() + " " + admission.burst());
    return Optional.empty();
  }

  @Override
  public void withdraw(FunctionName function) {
    led.remove(function);
    told.add("withdraw " + function);
  }

  @Override
  public boolean holdAt(int port) {
    listener = port;
    told.add("hold");
    return holds;
  }
}

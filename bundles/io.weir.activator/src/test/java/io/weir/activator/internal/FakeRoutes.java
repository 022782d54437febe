package io.weir.activator.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.Routes;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** Remembers what it is told. */
final class FakeRoutes implements Routes {
  final BlockingQueue<String> told = new LinkedBlockingQueue<>();
  final boolean holds;
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
  public void declare(FunctionName function, int port, Admission admission) {
    told.add("declare " + function + " " + admission.sources() + " " + admission.rate() + " " + admission.burst());
  }

  @Override
  public void withdraw(FunctionName function) {
    told.add("withdraw " + function);
  }

  @Override
  public boolean holdAt(int port) {
    listener = port;
    told.add("hold");
    return holds;
  }
}

package io.weir.kernel.internal;

import io.weir.kernel.Routes;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;

/** The packet filter for clients elsewhere, and connect() for those on this machine. */
final class BothWays implements RouteWay {
  private final RouteWay elsewhere;
  private final RouteWay here;

  BothWays(RouteWay elsewhere, RouteWay here) {
    this.elsewhere = elsewhere;
    this.here = here;
  }

  @Override
  public Routes.Way way() {
    return elsewhere.way();
  }

  private List<RouteWay> both() {
    return List.of(elsewhere, here);
  }

  @Override
  public void reachableAt(Set<InetAddress> addresses) {
    both().forEach(way -> way.reachableAt(addresses));
  }

  @Override
  public void declare(Served service) {
    both().forEach(way -> way.declare(service));
  }

  @Override
  public void withdraw(Served service) {
    both().forEach(way -> way.withdraw(service));
  }

  @Override
  public void retarget(Served service) {
    both().forEach(way -> way.retarget(service));
  }

  @Override
  public boolean seesLoads() {
    return elsewhere.seesLoads();
  }

  @Override
  public boolean holdAt(int listener) {
    return elsewhere.holdAt(listener);
  }

  @Override
  public void left(Seat seat) {
    both().forEach(way -> way.left(seat));
  }

  @Override
  public void forgetUnclaimed() {
    both().forEach(RouteWay::forgetUnclaimed);
  }

  @Override
  public void close() {
    both().forEach(RouteWay::close);
  }
}

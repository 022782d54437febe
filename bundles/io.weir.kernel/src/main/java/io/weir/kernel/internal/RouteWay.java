package io.weir.kernel.internal;

import io.weir.kernel.Routes;
import java.net.InetAddress;
import java.util.Set;

/** A way that connections to service addresses reach instances. Called by one thread at a time. */
interface RouteWay {
  /** Leads nobody anywhere. */
  RouteWay NONE = new RouteWay() {
    @Override
    public Routes.Way way() {
      throw new IllegalStateException("there is none yet");
    }

    @Override
    public void reachableAt(Set<InetAddress> addresses) {}

    @Override
    public void declare(Served service) {}

    @Override
    public void withdraw(Served service) {}

    @Override
    public void retarget(Served service) {}

    @Override
    public boolean holdAt(int listener) {
      return false;
    }

    @Override
    public void close() {}
  };

  Routes.Way way();

  void reachableAt(Set<InetAddress> addresses);

  /** It is new, or something but its targets changed. */
  void declare(Served service);

  void withdraw(Served service);

  /** Only its targets changed. */
  void retarget(Served service);

  /** Whether it sees for itself which instances have as much to do as they may; otherwise those are no targets meanwhile. */
  default boolean seesLoads() {
    return true;
  }

  boolean holdAt(int listener);

  /**
   * An instance is behind this interface of the host's.
   *
   * @return whether packets can be led to it; if not, it is told elsewhere when they can
   */
  default boolean arrived(int ifindex) {
    return false;
  }

  /** It is gone; so are its connections. */
  default void left(Seat seat) {}

  /** Takes up interfaces that came or came back. */
  default void look() {}

  /** Removes what an earlier life left and nobody claimed. */
  default void forgetUnclaimed() {}

  /** Removes all of it. */
  void close();
}

package io.weir.engine;

import java.net.InetSocketAddress;
import java.util.Optional;

/** The right to send one request to one instance. Give it back exactly once; giving it back again does nothing. */
public interface Lease {
  InetSocketAddress address();

  /** Name of the container. */
  String instance();

  /** What this lease had to wait for; empty if an instance was ready, or merely busy. */
  Optional<ColdStart> coldStart();

  /** The request is over and the instance answered. */
  void release();

  /** The request is over and the connection failed; the pool looks after the instance before it gets another. */
  void releaseSuspect();

  /** The request is over because its time was; an instance that answers nobody any more is replaced. */
  void releaseTimedOut();
}

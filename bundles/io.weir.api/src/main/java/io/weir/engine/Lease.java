package io.weir.engine;

import java.net.InetSocketAddress;
import java.time.Duration;

/** The right to send one request to one instance. Give it back exactly once; giving it back again does nothing. */
public interface Lease {
  InetSocketAddress address();

  /** Name of the container. */
  String instance();

  /** How long this lease waited for an instance to start; zero if one was ready. */
  Duration coldStart();

  /** The request is over and the instance answered. */
  void release();

  /** The request is over and the connection failed; the pool looks after the instance before it gets another. */
  void releaseSuspect();
}

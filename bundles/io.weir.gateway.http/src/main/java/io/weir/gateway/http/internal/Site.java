package io.weir.gateway.http.internal;

/** The front door and the admin API as an HTTP server serves them. */
interface Site extends AutoCloseable {
  /** Whether the server has taken up all of it. */
  boolean ready();

  /** What is served, or what it waits for, in plain words. */
  String state();

  @Override
  void close();
}

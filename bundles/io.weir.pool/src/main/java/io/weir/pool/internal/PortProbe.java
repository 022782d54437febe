package io.weir.pool.internal;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * Asks whether a TCP port accepts. Each connect is given up after a few milliseconds: a first SYN that is lost while the
 * container's network comes up would otherwise be repeated by the kernel only after a second.
 */
final class PortProbe {
  private static final long ATTEMPT_MILLIS = 20;
  /** A small program listens within a millisecond; pauses grow, so that at most an eighth of the wait is waited in vain. */
  private static final long FIRST_PAUSE_NANOS = 200_000;
  private static final long LONGEST_PAUSE_NANOS = 10_000_000;

  private PortProbe() {}

  /** One attempt; false if refused, unreachable or not answered within {@value #ATTEMPT_MILLIS} ms. */
  static boolean accepts(InetSocketAddress address) {
    try (SocketChannel channel = SocketChannel.open()) {
      channel.configureBlocking(false);
      // On this machine most connections are there at once.
      return channel.connect(address) || connects(channel);
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean connects(SocketChannel channel) throws IOException {
    try (Selector selector = Selector.open()) {
      channel.register(selector, SelectionKey.OP_CONNECT);
      return selector.select(ATTEMPT_MILLIS) > 0 && channel.finishConnect();
    }
  }

  /** Attempts until one succeeds, {@code abandon} says so or the time is up. Blocks. */
  static boolean await(InetSocketAddress address, Duration timeout, Abandon abandon) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    long pause = FIRST_PAUSE_NANOS;
    while (!abandon.now()) {
      if (accepts(address)) {
        return true;
      }
      if (System.nanoTime() >= deadline) {
        return false;
      }
      LockSupport.parkNanos(pause);
      if (Thread.interrupted()) {
        throw new InterruptedException("waiting for " + address);
      }
      pause = Math.min(pause + pause / 8, LONGEST_PAUSE_NANOS);
    }
    return false;
  }

  /** Whether waiting has become pointless. */
  interface Abandon {
    boolean now() throws InterruptedException;
  }
}

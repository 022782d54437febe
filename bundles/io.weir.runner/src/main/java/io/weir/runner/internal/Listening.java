package io.weir.runner.internal;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/**
 * Waits until a TCP port accepts. Each connect is given up after a few milliseconds: a first SYN that is lost while the
 * container's network comes up would otherwise be repeated by the kernel only after a second.
 */
final class Listening {
  private static final long ATTEMPT_MILLIS = 20;
  private static final long LOOK_NANOS = Duration.ofMillis(250).toNanos();

  private Listening() {}

  /**
   * Attempts until one succeeds or the time is up; blocks.
   *
   * @param look called every now and then meanwhile; ends the wait by what it throws
   */
  static boolean await(InetSocketAddress address, Duration timeout, Runnable look) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    long nextLook = System.nanoTime() + LOOK_NANOS;
    long pauseMillis = 1;
    while (!accepts(address)) {
      long now = System.nanoTime();
      if (now >= deadline) {
        return false;
      }
      if (now >= nextLook) {
        nextLook = now + LOOK_NANOS;
        look.run();
      }
      Thread.sleep(pauseMillis);
      pauseMillis = Math.min(pauseMillis + 1, 10);
    }
    return true;
  }

  private static boolean accepts(InetSocketAddress address) {
    try (SocketChannel channel = SocketChannel.open(); Selector selector = Selector.open()) {
      channel.configureBlocking(false);
      if (channel.connect(address)) {
        return true;
      }
      channel.register(selector, SelectionKey.OP_CONNECT);
      return selector.select(ATTEMPT_MILLIS) > 0 && channel.finishConnect();
    } catch (IOException e) {
      return false;
    }
  }
}

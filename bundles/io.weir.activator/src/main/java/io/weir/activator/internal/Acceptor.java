package io.weir.activator.internal;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes connections from listeners, asks who may come in, and deals them to the loops. Thread-safe. */
final class Acceptor {
  private static final Logger log = LoggerFactory.getLogger(Acceptor.class);
  private static final int BATCH = 64;

  private final Carrier carrier;
  private final List<Loop> loops;
  private final AtomicInteger next = new AtomicInteger();

  Acceptor(Carrier carrier, List<Loop> loops) {
    this.carrier = carrier;
    this.loops = loops;
  }

  /** Where listeners wait. */
  Loop loop() {
    return loops.get(0);
  }

  /**
   * Accepts what waits at a listener. On its loop's thread.
   *
   * @param door whose connection it is; null if nobody's
   */
  void accept(SelectionKey key, Function<SocketChannel, @Nullable Door> door) {
    ServerSocketChannel listener = (ServerSocketChannel) key.channel();
    try {
      for (int i = 0; i < BATCH && listener.isOpen(); i++) {
        SocketChannel client = listener.accept();
        if (client == null) {
          return;
        }
        take(client, door.apply(client));
      }
    } catch (IOException e) {
      // Out of file descriptors, most likely: asking again at once would keep a core busy and change nothing.
      log.warn("Connections to service addresses cannot be accepted now: {}", e.getMessage());
      key.interestOps(0);
      loop().later(() -> {
        if (key.isValid()) {
          key.interestOps(SelectionKey.OP_ACCEPT);
        }
      });
    }
  }

  private void take(SocketChannel client, @Nullable Door door) throws IOException {
    boolean taken = false;
    try {
      if (door != null && isAdmitted(client, door)) {
        client.configureBlocking(false);
        Loop loop = loops.get(Math.floorMod(next.getAndIncrement(), loops.size()));
        taken = loop.execute(() -> Connection.open(carrier, loop, door, client));
      }
    } catch (IOException e) {
      log.debug("A client went as it came", e);
    } finally {
      if (!taken) {
        client.close();
      }
    }
  }

  private static boolean isAdmitted(SocketChannel client, Door door) throws IOException {
    return client.getRemoteAddress() instanceof InetSocketAddress peer && door.gate().admits(peer.getAddress());
  }
}

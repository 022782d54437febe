package io.weir.activator.internal;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.Channel;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A port that is the gateway's at one address: either it listens there, or it only keeps the port from others, because
 * the kernel brings connections elsewhere and would take them from whoever listened.
 */
final class Claim {
  private static final Logger log = LoggerFactory.getLogger(Claim.class);
  private static final int BACKLOG = 1024;
  private static final long CLOSE_MILLIS = 2000;

  private final Channel channel;
  private final @Nullable Loop loop;
  private final Runnable drain;
  private final boolean weak;

  private Claim(Channel channel, @Nullable Loop loop, boolean weak, Runnable drain) {
    this.channel = channel;
    this.loop = loop;
    this.weak = weak;
    this.drain = drain;
  }

  /** @throws IOException if somebody else has the port, or the address is not this machine's any more */
  static Claim listen(Acceptor acceptor, InetAddress address, int port,
      Function<SocketChannel, @Nullable Door> door) throws IOException {
    return listen(ServerSocketChannel.open(family(address)), acceptor, new InetSocketAddress(address, port), door);
  }

  /** A listener for all functions on a free port of IPv4 loopback. Its socket takes IPv6 connections as well, if it is given any. */
  static Claim listenForAll(Acceptor acceptor, Function<SocketChannel, @Nullable Door> door) throws IOException {
    return listen(ServerSocketChannel.open(), acceptor,
        new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0), door);
  }

  private static Claim listen(ServerSocketChannel listener, Acceptor acceptor, InetSocketAddress at,
      Function<SocketChannel, @Nullable Door> door) throws IOException {
    try {
      listener.configureBlocking(false);
      listener.bind(at, BACKLOG);
      Loop loop = acceptor.loop();
      loop.execute(() -> {
        try {
          loop.register(listener, SelectionKey.OP_ACCEPT, key -> acceptor.accept(key, door));
        } catch (IOException e) {
          log.debug("{} was closed before it was used", at, e);
        }
      });
      return new Claim(listener, loop, false, () -> drain(listener, acceptor, door));
    } catch (IOException | RuntimeException e) {
      listener.close();
      throw e;
    }
  }

  /** What was connected before the listener closes is not to be reset. */
  private static void drain(ServerSocketChannel listener, Acceptor acceptor,
      Function<SocketChannel, @Nullable Door> door) {
    SelectionKey key = listener.keyFor(acceptor.loop().selector());
    if (key != null && key.isValid()) {
      acceptor.accept(key, door);
    }
  }

  /** Likewise, without listening. */
  static Claim reserve(InetAddress address, int port) throws IOException {
    try {
      return reserve(address, port, false);
    } catch (BindException e) {
      // Connections that were accepted while it was listened on may still be there, or in TIME_WAIT.
      return reserve(address, port, true);
    }
  }

  private static Claim reserve(InetAddress address, int port, boolean weak) throws IOException {
    SocketChannel socket = SocketChannel.open(family(address));
    try {
      socket.setOption(StandardSocketOptions.SO_REUSEADDR, weak);
      socket.bind(new InetSocketAddress(address, port));
      return new Claim(socket, null, weak, () -> { });
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static ProtocolFamily family(InetAddress address) {
    return address.getAddress().length == 4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
  }

  boolean listens() {
    return loop != null;
  }

  /** Whether somebody who insists could listen on the port all the same. */
  boolean isWeak() {
    return weak;
  }

  /** Lets the gateway itself, and whoever else insists, listen on the port while it is still kept. */
  void weaken() {
    try {
      ((SocketChannel) channel).setOption(StandardSocketOptions.SO_REUSEADDR, true);
    } catch (IOException e) {
      log.debug("A port that was kept is lost", e);
    }
  }

  int port() throws IOException {
    return ((InetSocketAddress) ((ServerSocketChannel) channel).getLocalAddress()).getPort();
  }

  /** Returns once the port is free. */
  void close() {
    Loop its = loop;
    if (its == null) {
      closeChannel();
      return;
    }
    CountDownLatch closed = new CountDownLatch(1);
    boolean running = its.execute(() -> {
      drain.run();
      closeChannel();
      // A registered channel is closed by the selector's next turn only.
      its.execute(closed::countDown);
    });
    try {
      if (!running || !closed.await(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
        closeChannel();
      }
    } catch (InterruptedException e) {
      closeChannel();
      Thread.currentThread().interrupt();
    }
  }

  private void closeChannel() {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("A service port did not close", e);
    }
  }
}

package io.weir.activator.internal;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.slf4j.LoggerFactory;

/** A connection to an instance. On its loop's thread only. */
final class Upstream {
  /** What happens to it; it has read nothing by itself. */
  interface Listener {
    void connected();

    void connectFailed(IOException why);

    void readable();

    void writable();
  }

  private final InetSocketAddress address;
  private final SocketChannel channel;
  private final SelectionKey key;
  private final Listener listener;
  private boolean ended;

  /** Begins to connect. The listener hears how it ends, unless that fails at once. */
  Upstream(Loop loop, InetSocketAddress address, Listener listener) throws IOException {
    this.address = address;
    this.listener = listener;
    this.channel = SocketChannel.open();
    try {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      boolean connected = channel.connect(address);
      key = loop.register(channel, connected ? 0 : SelectionKey.OP_CONNECT, this::ready);
      if (connected) {
        loop.execute(() -> {
          if (channel.isOpen()) {
            listener.connected();
          }
        });
      }
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private void ready(SelectionKey ready) {
    if (ready.isConnectable()) {
      try {
        channel.finishConnect();
        key.interestOps(0);
      } catch (IOException e) {
        close();
        listener.connectFailed(e);
        return;
      }
      listener.connected();
      return;
    }
    if (ready.isWritable()) {
      listener.writable();
    }
    if (ready.isValid() && ready.isReadable()) {
      listener.readable();
    }
  }

  boolean leadsTo(InetSocketAddress other) {
    return channel.isOpen() && address.equals(other);
  }

  void want(int operation, boolean wanted) {
    if (key.isValid()) {
      int now = key.interestOps();
      int then = wanted ? now | operation : now & ~operation;
      if (then != now) {
        key.interestOps(then);
      }
    }
  }

  int read(Bytes into) throws IOException {
    return into.readFrom(channel);
  }

  int write(Bytes from, int most) throws IOException {
    return from.writeTo(channel, most);
  }

  /** Tells the instance that nothing more comes; saying it again does nothing. */
  void end() throws IOException {
    if (!ended) {
      ended = true;
      channel.shutdownOutput();
    }
  }

  void close() {
    try {
      channel.close();
    } catch (IOException e) {
      LoggerFactory.getLogger(Upstream.class).debug("The connection to {} did not close", address, e);
    }
  }
}

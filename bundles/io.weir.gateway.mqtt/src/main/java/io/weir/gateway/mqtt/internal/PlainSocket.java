package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Without TLS. Who writes sends by itself what the kernel takes; the reading thread sends the rest when there is room.
 *
 * <p>The monitor guards the outbox and is not held while others are told.
 */
final class PlainSocket extends InputStream implements BrokerSocket {
  /** Java keeps a copy of this size for each thread that writes. */
  private static final int SLICE = 128 * 1024;

  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;
  private final Runnable wrote;
  private final Outbox outbox = new Outbox();
  private boolean finishing;
  private volatile int timeoutMillis;
  private int readyOps;   // of the reading thread

  PlainSocket(SocketChannel connected, int timeoutMillis, Runnable wrote) throws IOException {
    this.channel = connected;
    this.timeoutMillis = timeoutMillis;
    this.wrote = wrote;
    this.selector = Selector.open();
    try {
      channel.configureBlocking(false);
      this.key = channel.register(selector, SelectionKey.OP_READ);
    } catch (IOException e) {
      selector.close();
      throw e;
    }
  }

  // --- reading -------------------------------------------------------------------------------------------------------

  @Override
  public InputStream in() {
    return this;
  }

  @Override
  public void readTimeout(int millis) {
    timeoutMillis = millis;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] bytes, int from, int length) throws IOException {
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    try {
      while (true) {
        long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        if (left <= 0) {
          throw new SocketTimeoutException("nothing came");
        }
        readyOps = 0;
        selector.select(ready -> readyOps = ready.readyOps(), left);
        if ((readyOps & SelectionKey.OP_WRITE) != 0) {
          flush();
        }
        int n = (readyOps & SelectionKey.OP_READ) == 0 ? 0 : channel.read(ByteBuffer.wrap(bytes, from, length));
        if (n != 0) {
          return n;
        }
      }
    } catch (ClosedSelectorException | CancelledKeyException e) {
      throw new IOException("the connection was cut", e);
    }
  }

  // --- writing -------------------------------------------------------------------------------------------------------

  @Override
  public synchronized void add(byte[] bytes) {
    outbox.add(bytes);
  }

  @Override
  public void flush() throws IOException {
    CompletableFuture<Void> told = null;
    synchronized (this) {
      while (!outbox.isEmpty()) {
        ByteBuffer next = outbox.waiting();
        next.limit(Math.min(next.limit(), next.position() + SLICE));
        boolean all = true;
        int n = channel.write(next);
        all = !next.hasRemaining();
        CompletableFuture<Void> waiter = outbox.sent(n);
        told = waiter == null ? told : waiter;
        if (!all) {
          break;
        }
      }
      awaitRoom(!outbox.isEmpty());
      if (outbox.isEmpty()) {
        wrote.run();
        if (finishing) {
          channel.shutdownOutput();
        }
      }
    }
    if (told != null) {
      told.complete(null);
    }
  }

  private void awaitRoom(boolean needed) throws IOException {
    int wanted = needed ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ;
    try {
      if (key.interestOps() != wanted) {
        key.interestOps(wanted);
        selector.wakeup();
      }
    } catch (CancelledKeyException e) {
      throw new IOException("the connection was cut", e);
    }
  }

  @Override
  public synchronized boolean clear() {
    return outbox.isEmpty();
  }

  @Override
  public synchronized CompletableFuture<Void> room() {
    return outbox.room();
  }

  @Override
  public void finishWriting() throws IOException {
    synchronized (this) {
      finishing = true;
    }
    flush();
  }

  @Override
  public void cut() {
    @Nullable CompletableFuture<Void> waiter;
    IOException cause = new IOException("the connection is lost");
    synchronized (this) {
      waiter = outbox.end(cause);
    }
    try {
      channel.close();
      selector.close();
    } catch (IOException e) {
      // gone already
    }
    if (waiter != null) {
      waiter.completeExceptionally(cause);
    }
  }

  @Override
  public void close() {
    cut();
  }
}

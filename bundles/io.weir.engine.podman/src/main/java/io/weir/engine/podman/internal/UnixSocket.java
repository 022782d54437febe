package io.weir.engine.podman.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A socket that OkHttp can use and that leads to a unix domain socket, whatever address it is asked to connect to.
 *
 * <p>The channel never blocks; a selector does, because only so can a read end in time: OkHttp probes an idle
 * connection by reading with a time limit of 1 ms, and a stream over a blocking channel ignores that limit and hangs.
 * Closing, from any thread, ends a read or write in progress.
 */
final class UnixSocket extends Socket {
  private final UnixDomainSocketAddress path;
  private final SocketChannel channel;
  private final Selector readable;
  private final Selector writable;
  private final InputStream in = new In();
  private final OutputStream out = new Out();
  private volatile int soTimeout;
  private volatile boolean closed;
  private volatile boolean inputShutdown;
  private volatile boolean outputShutdown;

  UnixSocket(Path path) throws IOException {
    this.path = UnixDomainSocketAddress.of(path);
    this.channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    this.readable = Selector.open();
    this.writable = Selector.open();
  }

  @Override
  public void connect(SocketAddress ignored) throws IOException {
    connect(ignored, 0);
  }

  /** A unix socket connects at once or not at all, so the time limit has no work to do. */
  @Override
  public void connect(@Nullable SocketAddress ignored, int timeout) throws IOException {
    try {
      channel.connect(path);
      channel.configureBlocking(false);
      channel.register(readable, SelectionKey.OP_READ);
      channel.register(writable, SelectionKey.OP_WRITE);
    } catch (IOException e) {
      close();
      throw (IOException) new ConnectException(path + ": " + e.getMessage()).initCause(e);
    }
  }

  private void await(Selector selector, int millis) throws IOException {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    try {
      while (selector.select(millis == 0 ? 0 : Math.max(1, millisUntil(deadline))) == 0) {
        if (closed || !selector.isOpen()) {
          throw new SocketException("Socket closed");
        }
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedIOException("interrupted");
        }
        if (millis != 0 && deadline - System.nanoTime() <= 0) {
          throw new SocketTimeoutException("no answer within " + millis + " ms");
        }
      }
      selector.selectedKeys().clear();
    } catch (ClosedSelectorException e) {
      throw closed(e);
    }
  }

  private static IOException closed(Exception cause) {
    return (IOException) new SocketException("Socket closed").initCause(cause);
  }

  private static long millisUntil(long deadline) {
    return TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime() + 999_999);
  }

  private final class In extends InputStream {
    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
      while (true) {
        int n;
        try {
          n = channel.read(buffer);
        } catch (ClosedChannelException e) {
          throw closed(e);
        }
        if (n != 0) {
          return n;
        }
        await(readable, soTimeout);
      }
    }

    @Override
    public void close() throws IOException {
      UnixSocket.this.close();
    }
  }

  private final class Out extends OutputStream {
    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
      while (buffer.hasRemaining()) {
        int n;
        try {
          n = channel.write(buffer);
        } catch (ClosedChannelException e) {
          throw closed(e);
        }
        if (n == 0) {
          await(writable, 0);
        }
      }
    }

    @Override
    public void close() throws IOException {
      UnixSocket.this.close();
    }
  }

  @Override
  public InputStream getInputStream() {
    return in;
  }

  @Override
  public OutputStream getOutputStream() {
    return out;
  }

  @Override
  public void close() throws IOException {
    closed = true;
    try (channel; readable; writable) {
      super.close();
    }
  }

  @Override
  public void shutdownInput() throws IOException {
    inputShutdown = true;
    channel.shutdownInput();
  }

  @Override
  public void shutdownOutput() throws IOException {
    outputShutdown = true;
    channel.shutdownOutput();
  }

  @Override
  public boolean isInputShutdown() {
    return inputShutdown;
  }

  @Override
  public boolean isOutputShutdown() {
    return outputShutdown;
  }

  @Override
  public boolean isClosed() {
    return closed;
  }

  @Override
  public boolean isConnected() {
    return channel.isConnected();
  }

  @Override
  public boolean isBound() {
    return channel.isConnected();
  }

  @Override
  public void setSoTimeout(int millis) {
    soTimeout = millis;
  }

  @Override
  public int getSoTimeout() {
    return soTimeout;
  }

  @Override
  public InetAddress getInetAddress() {
    return InetAddress.getLoopbackAddress();
  }

  @Override
  public void setTcpNoDelay(boolean on) {}

  @Override
  public void setKeepAlive(boolean on) {}

  @Override
  public String toString() {
    return "unix:" + path;
  }
}

package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * With TLS, which Java offers without blocking only to those who carry its records themselves. So one of the threads that
 * may block writes what was added, and nobody else waits.
 */
final class SecureSocket implements BrokerSocket {
  private final Socket tcp;
  private final SSLSocket socket;
  private final InputStream in;
  private final OutputStream out;
  private final Executor blocking;
  private final Runnable wrote;
  private final Outbox outbox = new Outbox();
  private boolean writing;
  private boolean finishing;
  private boolean finished;

  /** Shakes hands over a socket that is connected. */
  SecureSocket(Socket tcp, String host, int port, Executor blocking, Runnable wrote) throws IOException {
    this.tcp = tcp;
    this.blocking = blocking;
    this.wrote = wrote;
    SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
    this.socket = (SSLSocket) factory.createSocket(tcp, host, port, true);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    this.in = socket.getInputStream();
    this.out = socket.getOutputStream();
  }

  @Override
  public InputStream in() {
    return in;
  }

  @Override
  public void readTimeout(int millis) throws IOException {
    socket.setSoTimeout(millis);
  }

  @Override
  public synchronized void add(byte[] bytes) {
    outbox.add(bytes);
  }

  @Override
  public synchronized void flush() throws IOException {
    if (tcp.isClosed()) {
      throw new IOException("the connection is lost");
    }
    if (!writing) {
      writing = true;
      blocking.execute(this::writeAll);
    }
  }

  private void writeAll() {
    try {
      for (byte[] next = next(); next.length > 0; next = next()) {
        out.write(next);
        CompletableFuture<Void> waiter = sent(next.length);
        if (waiter != null) {
          waiter.complete(null);
        }
      }
      if (finishesNow()) {
        socket.shutdownOutput();   // not under the monitor: it writes, too
      }
    } catch (IOException | UnsupportedOperationException e) {
      cut();   // the reading thread finds out, and connects again
    }
  }

  private synchronized byte[] next() {
    byte[] next = outbox.copy();
    writing = next.length > 0;
    return next;
  }

  private synchronized boolean finishesNow() {
    boolean now = finishing && !finished && outbox.isEmpty();
    finished |= now;
    return now;
  }

  private synchronized @Nullable CompletableFuture<Void> sent(int count) {
    CompletableFuture<Void> waiter = outbox.sent(count);
    if (outbox.isEmpty()) {
      wrote.run();
    }
    return waiter;
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
  public synchronized void finishWriting() throws IOException {
    finishing = true;
    flush();
  }

  /** Closes what is below: closing TLS in order would wait for a writer that is stuck. */
  @Override
  public void cut() {
    IOException cause = new IOException("the connection is lost");
    CompletableFuture<Void> waiter;
    synchronized (this) {
      waiter = outbox.end(cause);
    }
    try {
      tcp.close();
    } catch (IOException e) {
      // gone already
    }
    if (waiter != null) {
      waiter.completeExceptionally(cause);
    }
  }
}

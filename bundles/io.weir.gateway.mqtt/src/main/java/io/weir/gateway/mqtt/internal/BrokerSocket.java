package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * The socket to the broker. One thread reads; any may write, and none waits for the broker to read: what it does not take
 * yet is kept, in order.
 */
interface BrokerSocket {

  /**
   * Connects within the timeout, which then holds for each read until {@link #readTimeout} changes it.
   *
   * @param blocking runs what must wait for the broker
   * @param opening told of it before it connects
   * @param wrote told when everything written so far has gone out
   */
  static BrokerSocket connect(URI broker, int timeoutMillis, Executor blocking, Opening opening, Runnable wrote)
      throws IOException {
    String host = broker.getHost().replaceAll("[\\[\\]]", "");
    InetSocketAddress address = new InetSocketAddress(host, broker.getPort());
    if (broker.getScheme().equals("ssl")) {
      Socket tcp = new Socket();
      try {
        tcp.setTcpNoDelay(true);
        tcp.connect(address, timeoutMillis);
        tcp.setSoTimeout(timeoutMillis);
        return new SecureSocket(tcp, host, broker.getPort(), blocking, wrote);
      } catch (IOException | RuntimeException e) {
        tcp.close();
        throw e;
      }
    }
    SocketChannel channel = SocketChannel.open();
    try {
      channel.socket().setTcpNoDelay(true);
      opening.before(channel, address);
      channel.socket().connect(address, timeoutMillis);
      return new PlainSocket(channel, timeoutMillis, wrote);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** What is done with a socket without TLS before it connects. */
  interface Opening {
    Opening ANYWHERE = (channel, broker) -> {};

    void before(SocketChannel channel, InetSocketAddress broker) throws IOException;
  }

  /** Reads from it throw {@link java.net.SocketTimeoutException} when nothing comes. */
  InputStream in();

  void readTimeout(int millis) throws IOException;

  /** Keeps these bytes for the next {@link #flush}; those of one call stay together. */
  void add(byte[] bytes);

  /** Sends what was added; the other side takes it now or later. */
  void flush() throws IOException;

  /** Whether everything has gone out. */
  boolean clear();

  /** Completes when so little waits that more may be written; fails if the connection ends before. */
  CompletableFuture<Void> room();

  /** After everything has gone out, says that nothing more will be; what the other side sent can still be read. */
  void finishWriting() throws IOException;

  /** Ends whatever reads or writes. Never blocks. */
  void cut();
}

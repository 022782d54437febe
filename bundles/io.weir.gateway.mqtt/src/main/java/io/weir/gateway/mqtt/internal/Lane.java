package io.weir.gateway.mqtt.internal;

import io.weir.kernel.Adaptor;
import io.weir.kernel.Adaptor.Flight;
import io.weir.kernel.Adaptor.Place;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A connection to an instance on which the kernel sends requests and takes the answers. For one thread. */
final class Lane implements AutoCloseable {
  private static final int CONNECT_MILLIS = 1_000;
  private static final int ALIVE_LOOKS = 200;
  private static final int REST = 16 << 10;

  private final SocketChannel channel;
  private final Adaptor.Lane kernel;
  private int answered;
  private long since = System.nanoTime();

  private Lane(SocketChannel channel, Adaptor.Lane kernel) {
    this.channel = channel;
    this.kernel = kernel;
  }

  /**
   * Empty if the kernel does not take the connection up.
   *
   * @param selector hears when something comes, or the connection ends
   */
  static Optional<Lane> open(Adaptor.Subscription subscription, Place instance, Selector selector, Runnable gone)
      throws IOException {
    SocketChannel channel = SocketChannel.open();
    Adaptor.Lane kernel = null;
    try {
      channel.bind(toward(instance.address()));
      kernel = subscription.lane(instance, (InetSocketAddress) channel.getLocalAddress(), gone).orElse(null);
      if (kernel != null) {
        channel.socket().connect(instance.address(), CONNECT_MILLIS);
        if (comesAlive(kernel)) {
          channel.configureBlocking(false);
          channel.register(selector, SelectionKey.OP_READ);
          return Optional.of(new Lane(channel, kernel));
        }
      }
    } catch (IOException | RuntimeException e) {
      close(channel, kernel);
      throw e;
    }
    close(channel, kernel);
    return Optional.empty();
  }

  /** The instance's end is taken up a moment after ours is connected. */
  private static boolean comesAlive(Adaptor.Lane kernel) {
    for (int i = 0; i < ALIVE_LOOKS && !kernel.flight().alive(); i++) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    return kernel.flight().alive();
  }

  /** The address, with any port, that this machine speaks from with the other. */
  static InetSocketAddress toward(InetSocketAddress other) throws IOException {
    try (DatagramChannel probe = DatagramChannel.open()) {
      probe.connect(other);
      return new InetSocketAddress(((InetSocketAddress) probe.getLocalAddress()).getAddress(), 0);
    }
  }

  Adaptor.Lane kernel() {
    return kernel;
  }

  Flight flight() {
    return kernel.flight();
  }

  /** Whether a request has waited for its answer for longer than this; to be asked now and then. */
  boolean stuck(long nanos) {
    Flight flight = flight();
    long now = System.nanoTime();
    if (flight.settled() || flight.answered() != answered) {
      answered = flight.answered();
      since = now;
    }
    return now - since > nanos;
  }

  /** Whether it is as it should be: silent. What came is dropped. */
  boolean silent() {
    ByteBuffer rest = ByteBuffer.allocate(REST);
    try {
      return channel.read(rest) == 0;
    } catch (IOException e) {
      return false;
    }
  }

  void disable() {
    kernel.disable();
  }

  @Override
  public void close() {
    close(channel, kernel);
  }

  private static void close(SocketChannel channel, Adaptor.@Nullable Lane kernel) {
    try {
      channel.close();
    } catch (IOException e) {
      // gone already
    }
    if (kernel != null) {
      kernel.close();
    }
  }
}

package io.weir.gateway.mqtt.internal;

import io.weir.kernel.Adaptor;
import io.weir.kernel.Adaptor.Flight;
import io.weir.kernel.Adaptor.Place;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to an instance on which the kernel sends requests and takes the answers. From the first one that it cannot
 * take, all answers come here: what they acknowledge need not run again. For one thread.
 */
final class Lane implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Lane.class);
  private static final int CONNECT_MILLIS = 1_000;
  private static final int ALIVE_LOOKS = 200;
  private static final int ROOM = 16 << 10;

  private final SocketChannel channel;
  private final Adaptor.Lane kernel;
  private final IntConsumer receipts;
  private final LaneAnswers answers = new LaneAnswers(this::answered);
  private final ByteBuffer room = ByteBuffer.allocate(ROOM);
  /** Answers that came here. */
  private int taken;
  /** Whether one of them was no 2xx, to a message that comes again. */
  private boolean refused;
  /** Whether something came that is no answer. */
  private boolean unreadable;
  private boolean ended;
  private int answered;
  private long since = System.nanoTime();

  private Lane(SocketChannel channel, Adaptor.Lane kernel, IntConsumer receipts) {
    this.channel = channel;
    this.kernel = kernel;
    this.receipts = receipts;
  }

  /**
   * Empty if the kernel does not take the connection up.
   *
   * @param selector hears when something comes, or the connection ends
   * @param receipts told which messages, by their packet identifiers, had a 2xx that came here
   */
  static Optional<Lane> open(Adaptor.Subscription subscription, Place instance, Selector selector, Runnable gone,
      IntConsumer receipts) throws IOException {
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
          return Optional.of(new Lane(channel, kernel, receipts));
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

  /** Takes the answers that came here; whether it is as it should be: silent. */
  boolean silent() {
    boolean silent = true;
    try {
      for (int n = ended ? -1 : channel.read(room.clear()); n != 0; n = channel.read(room.clear())) {
        silent = false;
        if (n < 0) {
          end();
          return false;
        }
        if (!unreadable) {
          answers.read(room.flip());
        }
      }
    } catch (ProtocolException e) {
      LOG.debug("what an instance sent is no answer", e);
      unreadable = true;
      return false;
    } catch (IOException e) {
      ended = true;
      return false;
    }
    return silent;
  }

  private void end() {
    if (!ended && !unreadable) {
      answers.end();
    }
    ended = true;
  }

  private void answered(int status) {
    List<Integer> open = flight().open();
    int packetId = taken < open.size() ? open.get(taken) : 0;
    taken++;
    if (status >= 200 && status < 300) {
      if (packetId > 0) {
        receipts.accept(packetId);
      }
    } else {
      refused |= packetId > 0;
    }
  }

  /** Whether nobody works on anything that came by it, as far as can be known. */
  boolean quiet() {
    Flight flight = flight();
    return !flight.alive() || (flight.handed() && !unreadable ? flight.sent() == flight.answered() + taken
        : flight.sent() == flight.counted());
  }

  /** Whether no message that went by it has to come again. */
  boolean settled() {
    Flight flight = flight();
    return flight.sent() == flight.answered() + taken && !refused;
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

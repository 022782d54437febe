package io.weir.kernel;

import io.weir.function.FunctionName;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;

/**
 * Messages of the broker on this host that become requests to functions in the kernel, and the functions' answers that
 * become receipts. An optional service, present where the kernel can do it.
 *
 * <p>Thread-safe; calls take microseconds. They fail with {@link IllegalStateException} once the service is gone, and
 * with another {@link RuntimeException} if the kernel refuses; then nothing becomes a request any more.
 */
public interface Adaptor {

  /** An instance of the function that takes requests now, neither on its way out nor at rest; empty if there is none. */
  Optional<Place> instance(FunctionName function);

  /** Room for another connection to the broker; empty if all are taken. */
  Optional<Subscription> subscription();

  /**
   * An instance.
   *
   * @param container its container's full id
   * @param address where it serves HTTP
   */
  record Place(String container, InetSocketAddress address) {}

  /**
   * One connection to the broker, which carries nothing but subscriptions, what comes because of them, and its receipts.
   * All that does not become a request comes by it as ever, and so does everything until {@link #confirm}.
   */
  interface Subscription extends AutoCloseable {

    /**
     * To be called before it is connected.
     *
     * @param own the address it is bound to
     * @param broker on this host
     */
    void expect(InetSocketAddress own, InetSocketAddress broker);

    /**
     * A connection to an instance, to be called before it is connected; empty if the kernel does not know the instance,
     * or has no room.
     *
     * @param instance what it is connected to
     * @param own the address the connection is bound to
     * @param gone called when the instance is to get nothing more, on a thread that must not be blocked
     */
    Optional<Lane> lane(Place instance, InetSocketAddress own, Runnable gone);

    /** From now on messages of this topic take this lane. */
    void lead(String topic, Lane lane, Head head);

    /**
     * Messages may become requests from now on, if these are all that the broker sent: until then one of them could
     * overtake a message that is still being worked on.
     *
     * @param bytes that were read from the connection since its beginning, and are done with
     */
    void confirm(long bytes);

    /** Nothing becomes a request until {@link #confirm}. */
    void pause();

    /** How many bytes came, or will come, by the connection. */
    long passed();

    /** Nothing becomes a request any more. */
    @Override
    void close();
  }

  /** One connection to an instance, on which requests are answered in their order. */
  interface Lane extends AutoCloseable {

    Flight flight();

    /** Nothing more is sent on it; what was, is answered. */
    void disable();

    /** Its connection has ended, or is about to. */
    @Override
    void close();
  }

  /**
   * What is on a lane.
   *
   * @param sent requests, modulo 2³²
   * @param answered those of them whose messages have their receipts
   * @param counted those of them that were answered, however
   * @param handed whether there was an answer that is no receipt; from there on all answers come by the connection
   * @param alive whether the instance's end is there
   * @param open packet identifiers of the messages that have no receipts, oldest first, at most 64; 0: of QoS 0
   */
  record Flight(int sent, int answered, int counted, boolean handed, boolean alive, List<Integer> open) {

    /** Whether every request was answered and every message has its receipt. */
    public boolean settled() {
      return sent == answered;
    }
  }

  /**
   * The head of a request up to and with its empty line.
   *
   * @param text in ASCII, of a length that is a multiple of 64 and at most 512
   * @param lengthAt where the length of the body is written, in 5 digits
   * @param idAt where a number of the message is written, in 16 hexadecimal digits
   * @param timeAt where the time is written, in 24 characters
   */
  record Head(String text, int lengthAt, int idAt, int timeAt) {}
}

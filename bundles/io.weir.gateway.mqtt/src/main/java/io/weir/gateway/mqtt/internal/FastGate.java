package io.weir.gateway.mqtt.internal;

import io.weir.kernel.Adaptor.Subscription;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a connection's messages through, in their order: not before what the kernel sent to the function earlier is
 * answered, and nothing by the kernel before they are settled.
 *
 * <p>Its lock is not held while a message is passed on.
 */
final class FastGate implements MqttConnection.Handler {
  private static final Logger LOG = LoggerFactory.getLogger(FastGate.class);

  private static final long LONGEST_HOLD_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Deliveries deliveries;
  private final Subscription subscription;
  private final Runnable wake;
  private final Deque<Held> held = new ArrayDeque<>();
  private long read;
  /** Whether the kernel may have sent something that is not answered. */
  private boolean holding;
  /** Whether the kernel may send something. */
  private boolean open;
  private boolean ended;

  private final List<Receipt> unsent = new ArrayList<>();
  private long unsentSince;
  private volatile MqttConnection.Receipts receipts = (packetId, qos) -> {};

  private record Receipt(int packetId, int qos) {}

  private record Held(MqttPublish message, boolean duplicate) {}

  /** @param wake called when {@link #release} is due as soon as all is answered */
  FastGate(Deliveries deliveries, Subscription subscription, Runnable wake) {
    this.deliveries = deliveries;
    this.subscription = subscription;
    this.wake = wake;
  }

  Subscription subscription() {
    return subscription;
  }

  // --- what arrives --------------------------------------------------------------------------------------------------

  @Override
  public void arrived(MqttPublish message, boolean duplicate) {
    synchronized (this) {
      if (holding || !held.isEmpty()) {
        held.add(new Held(message, duplicate));
        message = null;
      }
    }
    if (message == null) {
      wake.run();
    } else {
      deliveries.arrived(message, duplicate);
    }
  }

  @Override
  public void released(int packetId, Runnable complete) {
    deliveries.released(packetId, complete);
  }

  @Override
  public void unreadable(int packetId, Exception cause) {
    deliveries.unreadable(packetId, cause);
  }

  @Override
  public synchronized void read(long bytes) {
    read = bytes;
    confirm();
  }

  /** Who holds acknowledgements until the kernel may go on, so that what the broker sends because of them is its part. */
  MqttConnection.Receipts receipts(MqttConnection.Receipts broker) {
    receipts = broker;
    return this::acknowledge;
  }

  private void acknowledge(int packetId, int qos) {
    synchronized (this) {
      if (open) {
        if (unsent.isEmpty()) {
          unsentSince = System.nanoTime();
        }
        unsent.add(new Receipt(packetId, qos));
        packetId = 0;
      }
    }
    if (packetId == 0) {
      wake.run();
    } else {
      receipts.acknowledge(packetId, qos);
    }
  }

  /** The function has done with a message that the kernel brought, but the kernel made no receipt of its answer. */
  void answered(int packetId) {
    receipts.acknowledge(packetId, 1);
  }

  private void flush() {
    unsent.forEach(each -> receipts.acknowledge(each.packetId(), each.qos()));
    unsent.clear();
  }

  /** Some message takes its time; the others shall not wait for it. */
  synchronized void flushIfOld() {
    if (!unsent.isEmpty() && System.nanoTime() - unsentSince > LONGEST_HOLD_NANOS) {
      flush();
    }
  }

  /** Some message is settled. */
  synchronized void settled() {
    confirm();
  }

  private void confirm() {
    if (open && held.isEmpty() && deliveries.idle()) {
      try {
        subscription.confirm(read);
        flush();
      } catch (RuntimeException e) {
        LOG.debug("the kernel brings no messages any more", e);
        open = false;   // holding until who looks after it finds out
        flush();
      }
    }
  }

  // --- the kernel's turn ---------------------------------------------------------------------------------------------

  /** There are lanes. */
  synchronized void open() {
    holding = true;
    open = true;
    confirm();
  }

  /** Nothing more shall go by the lanes. */
  synchronized void shut() {
    if (open) {
      open = false;
      flush();
      subscription.pause();
    }
  }

  /** Whether something waits for the kernel. */
  synchronized boolean waits() {
    return !held.isEmpty() || !unsent.isEmpty();
  }

  /** Whether the kernel says that something came by the connection which did not come. */
  synchronized boolean lost() {
    return open && held.isEmpty() && deliveries.idle() && subscription.passed() != read;
  }

  /**
   * All that the kernel sent is answered.
   *
   * @param forGood whether there are no lanes any more
   */
  void release(boolean forGood) {
    for (Held next = next(forGood); next != null; next = next(forGood)) {
      deliveries.arrived(next.message(), next.duplicate());
      synchronized (this) {
        held.poll();   // only now, or the next one that arrives could overtake it
      }
    }
  }

  private synchronized @Nullable Held next(boolean forGood) {
    Held next = held.peek();
    if (next == null) {
      holding = !forGood;
      confirm();
    }
    return next;
  }

  /** The connection is no more. What it did not acknowledge comes again by the next one, unless it is of QoS 0. */
  void end() {
    Deque<Held> lost;
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      open = false;
      lost = new ArrayDeque<>(held);
      held.clear();
    }
    try {
      subscription.close();
    } catch (RuntimeException e) {
      LOG.debug("it is gone already", e);
    }
    lost.stream().filter(each -> each.message().getQoS() == 0)
        .forEach(each -> deliveries.arrived(each.message(), each.duplicate()));
  }
}

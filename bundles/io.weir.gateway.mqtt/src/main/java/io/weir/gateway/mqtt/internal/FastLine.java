package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import io.weir.kernel.Adaptor;
import io.weir.kernel.Adaptor.Subscription;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.URI;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The session of a function's triggers with {@code fast: kernel}. What the kernel does not bring, and everything where it
 * cannot, comes by the connection as for other triggers.
 */
final class FastLine implements Line {
  private static final Logger LOG = LoggerFactory.getLogger(FastLine.class);

  private final Context context;
  private final FunctionName name;
  private final Supplier<Optional<Adaptor>> adaptor;
  private final FastWay way;
  /** Of the connection that was made last, before it is used. */
  private @Nullable Subscription taken;
  private volatile @Nullable FastGate gate;

  FastLine(Context context, FunctionName name, Supplier<Optional<Adaptor>> adaptor) {
    this.context = context;
    this.name = name;
    this.adaptor = adaptor;
    this.way = new FastWay(name, adaptor);
  }

  @Override
  public void begin(Runnable renew) {
    way.begin(renew);
  }

  @Override
  public boolean serves(Trigger.Mqtt trigger) {
    return trigger.fast();
  }

  /** As on the lanes, or changing over would let messages overtake each other. */
  @Override
  public boolean inOrder() {
    return true;
  }

  /** No name of a function has a dot. */
  @Override
  public String clientId(String common) {
    return common + ".fast";
  }

  @Override
  public void serve(@Nullable FunctionSpec spec) {
    way.serve(spec);
  }

  // --- the connection, on the session's thread -----------------------------------------------------------------------

  @Override
  public MqttConnection connect(MqttConnection.Options options) throws IOException {
    taken = isHere(options.broker()) ? take() : null;
    Subscription here = taken;
    try {
      return context.connect(options, here == null ? BrokerSocket.Opening.ANYWHERE
          : (channel, broker) -> expect(here, channel, broker));
    } catch (IOException | RuntimeException e) {
      release();
      throw e;
    }
  }

  private @Nullable Subscription take() {
    try {
      Optional<Adaptor> kernel = adaptor.get();
      Optional<Subscription> free = kernel.flatMap(Adaptor::subscription);
      if (kernel.isPresent() && free.isEmpty()) {
        LOG.warn("{}: the kernel brings messages to as many functions as it can already; the gateway brings them to this",
            name);
      }
      return free.orElse(null);
    } catch (RuntimeException e) {
      LOG.debug("{}: the kernel brings no messages now", name, e);
      return null;
    }
  }

  private static void expect(Subscription subscription, SocketChannel channel, InetSocketAddress broker)
      throws IOException {
    channel.bind(Lane.toward(broker));
    try {
      subscription.expect((InetSocketAddress) channel.getLocalAddress(), broker);
    } catch (RuntimeException e) {
      LOG.debug("the kernel brings no messages by this connection", e);
    }
  }

  /** Whether the broker is on this machine, and speaks without TLS. */
  private static boolean isHere(URI broker) throws IOException {
    InetAddress address = InetAddress.getByName(broker.getHost().replaceAll("[\\[\\]]", ""));
    return !broker.getScheme().equals("ssl")
        && (address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null);
  }

  private void release() {
    Subscription unused = taken;
    taken = null;
    try {
      if (unused != null) {
        unused.close();
      }
    } catch (RuntimeException e) {
      LOG.debug("{}: it is gone already", name, e);
    }
  }

  @Override
  public MqttConnection.Handler attached(MqttConnection connection, Deliveries deliveries) {
    Subscription mine = taken;
    deliveries.forgetSettled();
    if (mine == null) {
      return deliveries;
    }
    FastGate opened = new FastGate(deliveries, mine, way::wake);
    taken = null;
    connection.acknowledgeBy(opened::receipts);
    gate = opened;
    way.attached(opened);
    return opened;
  }

  @Override
  public void detached() {
    release();
    FastGate last = gate;
    gate = null;
    if (last != null) {
      way.attached(null);
      last.end();
    }
  }

  @Override
  public void settled() {
    FastGate current = gate;
    if (current != null) {
      current.settled();
      way.served();
    }
  }

  @Override
  public void quiesce() {
    way.quiesce();
  }

  @Override
  public void close() {
    detached();
    way.close();
  }
}

package io.weir.kernel.internal;

import io.weir.kernel.Adaptor.Flight;
import io.weir.kernel.Adaptor.Lane;

/** One element of the maps adapt_lanes and adapt_flights, from its opening to its end. */
final class AdaptLane implements Lane {
  private final KernelAdaptor owner;
  private final int index;
  private final int subscription;
  private final int slot;
  private final int generation;
  private final byte[] pair;
  private final long firstId;
  private final Runnable gone;
  private boolean closed;

  /** @param pair its connection as the instance sees it */
  AdaptLane(KernelAdaptor owner, int index, int subscription, Seat seat, byte[] pair, long firstId, Runnable gone) {
    this.owner = owner;
    this.index = index;
    this.subscription = subscription;
    this.slot = seat.slot;
    this.generation = seat.instance.generation();
    this.pair = pair;
    this.firstId = firstId;
    this.gone = gone;
    synchronized (owner) {
      owner.zero("adapt_flights", index, Adapting.FLIGHT);
      write(true);
      owner.maps().put("adapt_wanted", pair, Adapting.end(seat.netns, Adapting.FUNCTION, index));
    }
  }

  private void write(boolean enabled) {
    owner.maps().put("adapt_lanes", Layout.number(index),
        Adapting.lane(enabled, subscription, slot, generation, firstId));
  }

  int index() {
    return index;
  }

  int slot() {
    return slot;
  }

  void gone() {
    gone.run();
  }

  @Override
  public Flight flight() {
    synchronized (owner) {
      byte[] value = new byte[Adapting.FLIGHT];
      Maps maps = owner.maps();
      maps.ebpf().get(maps.fd("adapt_flights"), Layout.number(index), value);
      return Adapting.flight(value);
    }
  }

  @Override
  public void disable() {
    synchronized (owner) {
      if (!closed && owner.isOpen()) {
        write(false);
      }
    }
  }

  @Override
  public void close() {
    synchronized (owner) {
      if (!closed) {
        closed = true;
        if (owner.isOpen()) {
          write(false);
          owner.maps().delete("adapt_wanted", pair);
          owner.free(this);
        }
      }
    }
  }
}

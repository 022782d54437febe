package io.weir.pool.internal;

import io.weir.engine.ColdStart;
import io.weir.engine.Lease;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** The right to send one request to a slot; made under the lock of the slot's owner, given back by any thread. */
final class SlotLease implements Lease {
  private final Slot slot;
  private final InetSocketAddress address;
  private final Optional<ColdStart> coldStart;
  private final Return back;
  private final AtomicBoolean open = new AtomicBoolean(true);

  /** Takes a lease back. */
  interface Return {
    void take(Slot slot, boolean connectionFailed);
  }

  SlotLease(Slot slot, Optional<ColdStart> coldStart, Return back) {
    this.slot = slot;
    this.address = Optional.ofNullable(slot.address).orElseThrow();
    this.coldStart = coldStart;
    this.back = back;
  }

  @Override
  public InetSocketAddress address() {
    return address;
  }

  @Override
  public String instance() {
    return slot.name;
  }

  @Override
  public Optional<ColdStart> coldStart() {
    return coldStart;
  }

  @Override
  public void release() {
    giveBack(false);
  }

  @Override
  public void releaseSuspect() {
    giveBack(true);
  }

  @Override
  public void releaseTimedOut() {
    giveBack(false);
  }

  private void giveBack(boolean connectionFailed) {
    if (open.compareAndSet(true, false)) {
      back.take(slot, connectionFailed);
    }
  }
}

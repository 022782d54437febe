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
  private final String instance;
  private final Optional<ColdStart> coldStart;
  private final long sinceNanos;
  private final Return back;
  private final AtomicBoolean open = new AtomicBoolean(true);

  /** How a request ended, as far as the instance is concerned. */
  enum End { ANSWERED, CONNECTION_FAILED, TIMED_OUT }

  /** Takes a lease back. */
  interface Return {
    void take(Slot slot, End end, long leasedSinceNanos);
  }

  SlotLease(Slot slot, Optional<ColdStart> coldStart, long sinceNanos, Return back) {
    this.slot = slot;
    this.address = Optional.ofNullable(slot.address).orElseThrow();
    this.instance = slot.name;
    this.coldStart = coldStart;
    this.sinceNanos = sinceNanos;
    this.back = back;
  }

  @Override
  public InetSocketAddress address() {
    return address;
  }

  @Override
  public String instance() {
    return instance;
  }

  @Override
  public Optional<ColdStart> coldStart() {
    return coldStart;
  }

  @Override
  public void release() {
    giveBack(End.ANSWERED);
  }

  @Override
  public void releaseSuspect() {
    giveBack(End.CONNECTION_FAILED);
  }

  @Override
  public void releaseTimedOut() {
    giveBack(End.TIMED_OUT);
  }

  private void giveBack(End end) {
    if (open.compareAndSet(true, false)) {
      back.take(slot, end, sinceNanos);
    }
  }
}

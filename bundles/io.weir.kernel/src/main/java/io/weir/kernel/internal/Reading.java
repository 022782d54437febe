package io.weir.kernel.internal;

import io.weir.kernel.Traffic.Load;
import java.nio.ByteBuffer;

/** Loads and counters of all slots, read in one go. */
record Reading(byte[] loads, byte[] counters) {
  static Reading of(Maps maps, int end) {
    return end == 0 ? new Reading(new byte[0], new byte[0])
        : new Reading(maps.ebpf().read(maps.fd("loads"), 0, end, Layout.LOAD),
            maps.ebpf().read(maps.fd("counters"), 0, end, Layout.COUNTERS));
  }

  long inFlight(int slot) {
    return Layout.buffer(loads).getLong(slot * Layout.LOAD);
  }

  Tally tally(int slot) {
    return Tally.at(counters, slot);
  }

  Load load(String container, int slot, long now) {
    ByteBuffer in = Layout.buffer(loads).position(slot * Layout.LOAD);
    long inFlight = in.getLong();
    long connections = in.getLong();
    long last = in.getLong();
    return new Load(container, (int) Math.max(0, inFlight), (int) Math.max(0, connections), tally(slot).requests(),
        last == 0 ? Long.MAX_VALUE : Math.max(0, now - last));
  }
}

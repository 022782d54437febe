package io.weir.kernel.internal;

/**
 * Which network namespace is that of which slot: for the program that sees listeners close, because an instance in which
 * nobody listens any more gets no new connection, and for the one that denies egress, because an instance has a network
 * before it has a cgroup. Guarded by the lock of {@link KernelTraffic}.
 */
final class Homes {
  private static final String MAP = "homes";

  private final Maps maps;
  private final boolean wanted;

  /** @param wanted whether there is one of these programs */
  Homes(Maps maps, boolean wanted) {
    this.maps = maps;
    this.wanted = wanted;
  }

  /** @param netns cookie of the namespace; 0: not known */
  void moved(Seat seat, long netns) {
    if (seat.netns != 0 && seat.netns != netns) {
      left(seat);
    }
    seat.netns = netns;
    if (wanted && netns != 0) {
      maps.put(MAP, Layout.number(netns), Layout.number(seat.slot));
    }
  }

  void left(Seat seat) {
    if (wanted && seat.netns != 0) {
      maps.delete(MAP, Layout.number(seat.netns));
    } else if (wanted) {
      // An earlier life's, of whose namespace this one never heard.
      for (byte[] netns : maps.ebpf().keys(maps.fd(MAP), Long.BYTES)) {
        byte[] slot = new byte[Integer.BYTES];
        if (maps.ebpf().get(maps.fd(MAP), netns, slot) && Layout.buffer(slot).getInt() == seat.slot) {
          maps.delete(MAP, netns);
        }
      }
    }
  }
}

package io.weir.kernel.internal;

/**
 * The programs that packets meet: where they come in from clients, and where answers leave instances. Each has a lock of
 * its own.
 */
record PacketWay(Ingress ingress, Interfaces outside, HostEnds inside) {

  void look() {
    outside.look();
    inside.look();
  }

  void forgetUnclaimed() {
    outside.forgetUnclaimed();
    inside.forgetUnclaimed();
  }

  void close() {
    outside.close();
    inside.close();
    ingress.close();
  }
}

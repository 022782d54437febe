package io.weir.kernel.internal;

import io.weir.kernel.internal.Ebpf.Loaded;
import io.weir.kernel.internal.Ebpf.TrafficControl;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts programs where an interface's packets come in, and takes them off. Thread-safe. */
final class Ingress {
  private static final Logger LOG = LoggerFactory.getLogger(Ingress.class);

  private final Ebpf ebpf;
  private final Loaded object;
  private final PinDirectory pins;
  private final Consumer<String> how;
  private volatile boolean clsact;

  /** @param how told by which means it is done */
  Ingress(Ebpf ebpf, Loaded object, PinDirectory pins, Consumer<String> how) {
    this.ebpf = ebpf;
    this.object = object;
    this.pins = pins;
    this.how = how;
  }

  /** The place of one program, by the prefix of its pins' names. */
  Hook hook(String program, String prefix) {
    return new Hook() {
      @Override
      public void attach(int ifindex) {
        Ingress.this.attach(program, prefix, ifindex);
      }

      @Override
      public void detach(int ifindex) {
        detachLink(prefix + ifindex, ifindex);
      }

      @Override
      public List<Integer> pinned() {
        return pins.links().stream().filter(link -> link.startsWith(prefix))
            .map(link -> Integer.parseInt(link.substring(prefix.length()))).toList();
      }
    };
  }

  private void attach(String program, String prefix, int ifindex) {
    TrafficControl means = ebpf.attachIngress(object, program, ifindex, pins.path(), prefix + ifindex);
    if (means == TrafficControl.CLSACT) {
      clsact = true;
    }
    how.accept(means == TrafficControl.TCX ? "tcx" : "clsact");
  }

  private void detachLink(String link, int ifindex) {
    try {
      ebpf.detachIngress(ifindex, pins.path(), link);
    } catch (KernelError e) {
      LOG.debug("{} is gone with its interface", link, e);
    }
  }

  /** Filters, unlike links, are pinned nowhere; the library knows its own and leaves others alone. */
  void close() {
    if (!clsact) {
      return;
    }
    try {
      NetworkInterface.networkInterfaces().map(NetworkInterface::getIndex).forEach(index -> detachLink("none", index));
    } catch (SocketException e) {
      LOG.debug("filters of an earlier life may be left", e);
    }
  }
}

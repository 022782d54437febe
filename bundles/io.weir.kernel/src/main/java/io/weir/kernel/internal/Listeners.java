package io.weir.kernel.internal;

import io.weir.kernel.KernelSignal;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who wants to hear the kernel's signals. Thread-safe. */
final class Listeners {
  private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

  private final List<Consumer<KernelSignal>> listeners = new CopyOnWriteArrayList<>();

  AutoCloseable add(Consumer<KernelSignal> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  void tell(KernelSignal signal) {
    for (Consumer<KernelSignal> listener : listeners) {
      try {
        listener.accept(signal);
      } catch (RuntimeException e) {
        LOG.error("{} was lost on somebody who failed", signal, e);
      }
    }
  }
}

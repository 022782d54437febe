package io.weir.activator.internal;

import io.weir.engine.Residence;
import io.weir.kernel.KernelSignal;
import io.weir.kernel.Traffic;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Only its signals are of interest here. */
final class FakeTraffic implements Traffic {
  volatile @Nullable Consumer<KernelSignal> listener;

  void signal(KernelSignal signal) {
    listener.accept(signal);
  }

  @Override
  public AutoCloseable subscribe(Consumer<KernelSignal> to) {
    listener = to;
    return () -> listener = null;
  }

  @Override
  public CompletionStage<Boolean> listening(Residence residence, int port) {
    return new CompletableFuture<>();
  }

  @Override
  public void join(Member member) {}

  @Override
  public void open(String container) {}

  @Override
  public void drain(String container) {}

  @Override
  public boolean rest(String container) {
    return false;
  }

  @Override
  public void wake(String container) {}

  @Override
  public void leave(String container) {}

  @Override
  public List<Load> loads() {
    return List.of();
  }
}

package io.weir.pool.internal;

import io.weir.engine.Instance;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One instance as its {@link FunctionInstances} sees it. All fields but {@code dead} are guarded by that owner's lock. */
final class Slot {
  final String name;
  final FunctionSpec spec;
  Instance.State state = Instance.State.STARTING;
  Instant since = Instant.now();
  String id = "";
  @Nullable InetSocketAddress address;
  int inFlight;
  long served;
  long readyNanos;
  long lastUsedNanos = System.nanoTime();
  /** A connection to it failed: nobody gets it until it was looked at. */
  boolean suspect;
  /** Set by the engine's event, read by the thread that waits for the port. */
  volatile boolean dead;

  Slot(String name, FunctionSpec spec) {
    this.name = name;
    this.spec = spec;
  }

  FunctionName function() {
    return spec.name();
  }

  void enter(Instance.State next) {
    state = next;
    since = Instant.now();
  }

  boolean canServe() {
    return state == Instance.State.READY && !suspect && inFlight < spec.scaling().concurrency();
  }

  boolean isLive() {
    return state == Instance.State.READY || state == Instance.State.STARTING;
  }

  Instance view() {
    return new Instance(id, name, spec.name(), spec.revision(), state,
        Optional.ofNullable(address).map(a -> a.getHostString() + ":" + a.getPort()), inFlight, served, 0, since);
  }
}

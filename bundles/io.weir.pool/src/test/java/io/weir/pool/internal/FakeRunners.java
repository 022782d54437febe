package io.weir.pool.internal;

import io.weir.engine.ContainerSpec;
import io.weir.engine.Runners;
import io.weir.function.FunctionSpec;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Runners that are always preloaded. */
final class FakeRunners implements Runners {
  volatile Collection<FunctionSpec> keptFor = List.of();
  private final FakeEngine engine;
  private final AtomicInteger count = new AtomicInteger();

  FakeRunners(FakeEngine engine) {
    this.engine = engine;
  }

  @Override
  public void keepFor(Collection<FunctionSpec> functions) {
    keptFor = functions;
  }

  @Override
  public Runner claim(FunctionSpec function, Consumer<Runner> chosen) {
    String name = "weir-runner-" + count.incrementAndGet();
    String id = engine.create(new ContainerSpec(name, "runner:1", 8080,
        Map.of("weir.managed", "true", "weir.gateway", "0123456789ab", LABEL, "python"), Map.of(), function.limits()));
    Runner runner = new Runner(id, name, engine.start(id), true);
    chosen.accept(runner);
    synchronized (engine) {
      engine.calls.add("load " + name);
    }
    return runner;
  }

  @Override
  public List<Spare> spares() {
    return List.of();
  }
}

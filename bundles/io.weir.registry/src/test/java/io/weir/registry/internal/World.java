package io.weir.registry.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.function.FunctionCheck;
import io.weir.function.FunctionListener;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidFunction;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A registry among fakes, and a listener that writes down what it hears. */
final class World {
  static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

  static final HandlerFiles NO_FILES = HandlerFiles.of(Map.of());

  final FakeConfigurationAdmin configurations;
  final List<GatewayEvent> events = new CopyOnWriteArrayList<>();
  final Registry registry;
  final Recorder heard = new Recorder();

  World() {
    this(new FakeConfigurationAdmin());
  }

  World(FakeConfigurationAdmin configurations) {
    this.configurations = configurations;
    registry = new Registry(configurations, new Events() {
      @Override
      public void publish(GatewayEvent event) {
        events.add(event);
      }

      @Override
      public List<GatewayEvent> recent() {
        return List.copyOf(events);
      }

      @Override
      public AutoCloseable subscribe(Consumer<GatewayEvent> listener) {
        throw new UnsupportedOperationException();
      }

      @Override
      public Map<String, Long> counters() {
        return Map.of();
      }
    }, Clock.fixed(NOON, ZoneOffset.UTC));
    registry.addListener(heard);
  }

  static List<Declaration> parse(String yaml) {
    return WeirYaml.parse(yaml, NO_FILES);
  }

  static String yaml(String name, String... lines) {
    return "functions:\n  " + name + ":\n    image: localhost/" + name + ":1\n"
        + String.join("", List.of(lines).stream().map(line -> "    " + line + "\n").toList());
  }

  /** Objects to one function because of one key. */
  static FunctionCheck refusing(String name, String key) {
    return function -> {
      if (function.name().value().equals(name)) {
        throw new InvalidFunction(key, key + ": not here");
      }
    };
  }

  static void await(CountDownLatch latch) {
    try {
      if (!latch.await(20, TimeUnit.SECONDS)) {
        throw new AssertionError("nobody came");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  List<String> names() {
    return registry.functions().stream().map(FunctionSpec::name).map(FunctionName::value).toList();
  }

  FunctionSpec function(String name) {
    return registry.find(new FunctionName(name)).orElseThrow();
  }

  static final class Recorder implements FunctionListener {
    final BlockingQueue<String> calls = new LinkedBlockingQueue<>();

    @Override
    public void functionAdded(FunctionSpec function) {
      calls.add("added " + function.name());
    }

    @Override
    public void functionChanged(FunctionSpec before, FunctionSpec after) {
      calls.add("changed " + after.name() + " " + before.source().toString() + " " + after.source().toString());
    }

    @Override
    public void functionRemoved(FunctionSpec function) {
      calls.add("removed " + function.name());
    }

    List<String> drain() {
      List<String> all = new CopyOnWriteArrayList<>();
      calls.drainTo(all);
      return all;
    }
  }
}

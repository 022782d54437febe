package io.weir.runner.internal;

import com.sun.net.httpserver.HttpServer;
import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStats;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineEvent;
import io.weir.engine.EngineException;
import io.weir.engine.EngineInfo;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Containers that are small servers in this process, and what was done to them. */
final class FakeEngine implements ContainerEngine, AutoCloseable {
  /** What a runner does with a request. */
  interface Behaviour {
    /** @return the status, with a text if it is 422; 0 breaks off */
    String answer(String path, String body);
  }

  static final class Container {
    final String id;
    final ContainerSpec spec;
    final List<String> heard = new CopyOnWriteArrayList<>();
    HttpServer server;
    ContainerStatus.State state = ContainerStatus.State.CREATED;
    boolean frozen;

    Container(String id, ContainerSpec spec) {
      this.id = id;
      this.spec = spec;
    }
  }

  final Map<String, Container> containers = new ConcurrentHashMap<>();
  final Map<String, String> images = new ConcurrentHashMap<>();
  final List<String> built = new CopyOnWriteArrayList<>();
  final List<ContainerSpec> created = new CopyOnWriteArrayList<>();
  volatile Behaviour behaviour = (path, body) -> "204";
  volatile boolean away;
  /** What every start fails with, if anything. */
  volatile Optional<String> startFailure = Optional.empty();

  FakeEngine() {
    for (String language : List.of("python", "node", "java")) {
      images.put("localhost/weir/rt-" + language + ":current", "base-1");
    }
  }

  private Container container(String id) {
    Container container = containers.get(id);
    if (container == null) {
      throw new EngineException(EngineException.Code.NO_SUCH_CONTAINER, id + " does not exist");
    }
    return container;
  }

  Container named(String name) {
    return containers.values().stream().filter(c -> c.spec.name().equals(name)).findFirst().orElseThrow();
  }

  /** Its process ends, without anybody being told. */
  void kill(String name) {
    Container container = named(name);
    container.server.stop(0);
    container.state = ContainerStatus.State.EXITED;
  }

  private void needEngine() {
    if (away) {
      throw new EngineException(EngineException.Code.UNAVAILABLE, "nobody listens");
    }
  }

  @Override
  public EngineInfo info() {
    needEngine();
    return new EngineInfo("4", "crun", "socket", true, false, "v2");
  }

  @Override
  public String create(ContainerSpec spec) {
    needEngine();
    if (!images.containsKey(spec.image())) {
      throw new EngineException(EngineException.Code.NO_SUCH_IMAGE, spec.image() + " is not here");
    }
    String id = "id-" + (created.size() + 1);
    created.add(spec);
    containers.put(id, new Container(id, spec));
    return id;
  }

  @Override
  public void init(String id) {
    throw new UnsupportedOperationException();
  }

  @Override
  public InetSocketAddress start(String id) {
    needEngine();
    Container container = container(id);
    startFailure.ifPresent(words -> {
      throw new EngineException(EngineException.Code.START_FAILED, words);
    });
    try {
      container.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      container.server.createContext("/", exchange -> {
        try (exchange) {
          String path = exchange.getRequestURI().getPath();
          String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          container.heard.add(path + " " + body);
          if (container.frozen) {
            throw new AssertionError("a frozen process hears nothing");
          }
          String answer = behaviour.answer(path, body);
          if (answer.equals("0")) {
            throw new IOException("broken off");
          }
          byte[] text = answer.substring(3).strip().getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(Integer.parseInt(answer.substring(0, 3)), text.length == 0 ? -1 : text.length);
          exchange.getResponseBody().write(text);
        }
      });
      container.server.start();
      container.state = ContainerStatus.State.RUNNING;
      return container.server.getAddress();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void freeze(String id) {
    container(id).frozen = true;
  }

  @Override
  public void thaw(String id) {
    container(id).frozen = false;
  }

  @Override
  public boolean thawAtOnce(String id) {
    thaw(id);
    return true;
  }

  @Override
  public void stop(String id, Duration grace) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void remove(String id) {
    needEngine();
    Container container = containers.remove(id);
    if (container != null && container.server != null) {
      container.server.stop(0);
    }
  }

  @Override
  public ContainerStatus inspect(String id) {
    needEngine();
    Container container = container(id);
    return new ContainerStatus(id, container.spec.name(), container.spec.image(), container.state, Optional.empty(),
        container.spec.labels(), 1, container.state == ContainerStatus.State.EXITED ? 137 : 0, false, Instant.EPOCH);
  }

  @Override
  public List<ContainerStatus> list(Map<String, String> labels) {
    needEngine();
    return containers.values().stream().filter(c -> c.spec.labels().entrySet().containsAll(labels.entrySet()))
        .map(c -> inspect(c.id)).toList();
  }

  @Override
  public List<String> logs(String id, int lines) {
    return List.of("its last word");
  }

  @Override
  public ContainerStats stats(String id) {
    return new ContainerStats(1, 9_000_000, container(id).spec.limits().memoryBytes(), 1);
  }

  @Override
  public void sweep() {
    throw new UnsupportedOperationException();
  }

  @Override
  public AutoCloseable watch(String label, String value, Consumer<EngineEvent> listener) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<String> imageId(String reference) {
    needEngine();
    return Optional.ofNullable(images.get(reference));
  }

  @Override
  public List<String> load(InputStream archive) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void importImage(String reference, List<String> changes, InputStream rootfs) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void build(String reference, InputStream context, Consumer<String> progress) {
    needEngine();
    built.add(reference);
    images.put(reference, "made");
  }

  @Override
  public void pull(String reference, Consumer<String> progress) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    away = false;
    new ArrayList<>(containers.keySet()).forEach(this::remove);
  }

  /** Ids by name of what there is. */
  Map<String, String> there() {
    Map<String, String> there = new LinkedHashMap<>();
    containers.values().forEach(c -> there.put(c.spec.name(), c.id));
    return there;
  }
}

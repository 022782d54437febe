package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStats;
import io.weir.engine.ContainerStatus;
import io.weir.engine.ContainerStatus.State;
import io.weir.engine.EngineEvent;
import io.weir.engine.EngineException;
import io.weir.engine.EngineInfo;
import io.weir.engine.Residence;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** An engine whose containers are listening sockets; the state machine and the failures are those of facts/podman.md §2. */
final class FakeEngine implements ContainerEngine {
  /** Everything done to containers, in order, for example {@code start weir-hello-1}. */
  final List<String> calls = new ArrayList<>();
  final AtomicInteger started = new AtomicInteger();
  /** Open until somebody starts a container. */
  final CountDownLatch starting = new CountDownLatch(1);
  volatile Consumer<EngineEvent> listener = event -> {};
  /** While set, {@link #start} waits for it. */
  volatile CountDownLatch gate;
  /** While set, {@link #start} has started the container but waits for it before it says so. */
  volatile CountDownLatch answer;
  /** While set, {@link #start} fails although it has started the container. */
  volatile boolean confused;
  /** Images whose containers exit with code 3 at once. */
  volatile String crashingImage = "";
  /** Images whose containers run but never listen. */
  volatile String deafImage = "";
  volatile String missingImage = "";
  /** Whether the kernel thaws, rather than the service. */
  volatile boolean thawsAtOnce = true;
  /** Whether containers answer HTTP requests, rather than just listen. */
  volatile boolean answering;
  /** Images for which the engine fails in a way nobody thought of. */
  volatile String weirdImage = "";
  /** Whether nobody knows where containers live. */
  volatile boolean homeless;
  /** Whether it is settled where a container will be reached before it starts. */
  volatile boolean settled;
  /** Where containers that were prepared have a cgroup; none unless set. */
  volatile Optional<Path> cgroup = Optional.empty();
  volatile Runnable whileFreezing = () -> { };
  volatile Runnable beforeThaw = () -> { };
  volatile Runnable beforeList = () -> { };
  /** So many removals fail from now on. */
  final AtomicInteger failingRemovals = new AtomicInteger();
  /** Open until a sweep has ended. */
  final CountDownLatch swept = new CountDownLatch(1);
  /** Open until somebody has asked for an image's id. */
  final CountDownLatch lookedUp = new CountDownLatch(1);
  /** Bytes that containers of an image hold; 1 MiB unless set. */
  final Map<String, Long> memory = new ConcurrentHashMap<>();
  /** Changes what a reference stands for. */
  final Map<String, String> imageVersions = new ConcurrentHashMap<>();
  private final Map<String, Box> boxes = new LinkedHashMap<>();

  private static final class Box {
    final ContainerSpec spec;
    final Instant created = Instant.now();
    State state = State.CREATED;
    ServerSocket socket;
    InetSocketAddress address;
    int exitCode;
    boolean frozen;
    boolean oom;

    Box(ContainerSpec spec) {
      this.spec = spec;
    }

    void close() {
      if (socket != null) {
        try {
          socket.close();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  final AtomicInteger imageQuestions = new AtomicInteger();

  /** What the containers that were created find in their environment, by their names. */
  final Map<String, Map<String, String>> environments = new ConcurrentHashMap<>();

  @Override
  public Optional<InetAddress> gatewayAddress() {
    return Optional.of(InetAddress.getLoopbackAddress());
  }

  @Override
  public synchronized String create(ContainerSpec spec) {
    if (spec.image().equals(missingImage)) {
      throw new EngineException(EngineException.Code.NO_SUCH_IMAGE, spec.image() + ": image not known");
    }
    if (spec.image().equals(weirdImage)) {
      throw new IllegalStateException("weird");
    }
    calls.add("create " + spec.name());
    environments.put(spec.name(), spec.environment());
    boxes.put("id-" + spec.name(), new Box(spec));
    return "id-" + spec.name();
  }

  @Override
  public InetSocketAddress start(String id) {
    starting.countDown();
    await(gate);
    started.incrementAndGet();
    InetSocketAddress address = started(id);
    await(answer);
    if (confused) {
      throw new EngineException(EngineException.Code.TIMEOUT, "starting " + id + " took too long");
    }
    return address;
  }

  private static void await(CountDownLatch latch) {
    if (latch != null) {
      try {
        latch.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new EngineException(EngineException.Code.UNAVAILABLE, "interrupted", e);
      }
    }
  }

  private InetSocketAddress started(String id) {
    synchronized (this) {
      Box box = box(id);
      calls.add("start " + box.spec.name());
      try {
        box.state = box.spec.image().equals(crashingImage) ? State.EXITED : State.RUNNING;
        box.exitCode = box.state == State.EXITED ? 3 : 0;
        box.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        box.address = new InetSocketAddress(InetAddress.getLoopbackAddress(), box.socket.getLocalPort());
        if (box.spec.image().equals(deafImage) || box.spec.image().equals(crashingImage)) {
          box.close();
        }
        if (answering) {
          answer(box.socket);
        }
        return box.address;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static void answer(ServerSocket server) {
    Thread thread = new Thread(() -> {
      while (!server.isClosed()) {
        try (Socket socket = server.accept()) {
          if (socket.getInputStream().read() >= 0) {
            socket.getOutputStream().write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
          }
        } catch (IOException e) {
          // the container was killed, or its caller went away
        }
      }
    });
    thread.setDaemon(true);
    thread.start();
  }

  /** Kills a container as the kernel or an operator would; nobody is told. */
  synchronized void kill(String id, int exitCode, boolean oom) {
    Box box = box(id);
    box.close();
    box.state = State.EXITED;
    box.exitCode = exitCode;
    box.oom = oom;
  }

  synchronized List<String> calls() {
    return List.copyOf(calls);
  }

  synchronized List<String> ids() {
    return List.copyOf(boxes.keySet());
  }

  private Box box(String id) {
    Box box = boxes.get(id);
    if (box == null) {
      throw new EngineException(EngineException.Code.NO_SUCH_CONTAINER, "no such container " + id);
    }
    return box;
  }

  @Override
  public synchronized void stop(String id, Duration grace) {
    calls.add("stop " + box(id).spec.name());
    kill(id, 0, false);
  }

  @Override
  public synchronized void remove(String id) {
    if (Thread.currentThread().isInterrupted()) {
      throw new EngineException(EngineException.Code.UNAVAILABLE, "interrupted");
    }
    if (boxes.containsKey(id) && failingRemovals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new EngineException(EngineException.Code.TIMEOUT, "removing takes too long");
    }
    Box box = boxes.remove(id);
    if (box != null) {
      calls.add("remove " + box.spec.name());
      box.close();
    }
  }

  @Override
  public synchronized ContainerStatus inspect(String id) {
    Box box = box(id);
    return new ContainerStatus(id, box.spec.name(), box.spec.image(), box.state,
        box.state == State.RUNNING ? Optional.of(box.address) : Optional.empty(), box.spec.labels(), 0, box.exitCode,
        box.oom, box.created);
  }

  @Override
  public List<ContainerStatus> list(Map<String, String> labels) {
    beforeList.run();
    if (Thread.currentThread().isInterrupted()) {
      throw new EngineException(EngineException.Code.UNAVAILABLE, "interrupted");
    }
    return listed(labels);
  }

  private synchronized List<ContainerStatus> listed(Map<String, String> labels) {
    return boxes.keySet().stream().map(this::inspect)
        .filter(status -> status.labels().entrySet().containsAll(labels.entrySet())).toList();
  }

  @Override
  public List<String> logs(String id, int lines) {
    return List.of("hello from " + id, "last line");
  }

  @Override
  public AutoCloseable watch(String label, String value, Consumer<EngineEvent> consumer) {
    listener = consumer;
    return () -> {};
  }

  @Override
  public EngineInfo info() {
    return new EngineInfo("fake", "fake", "", true, false, "v2");
  }

  @Override
  public synchronized void init(String id) {
    calls.add("init " + box(id).spec.name());
    box(id).state = State.INITIALIZED;
  }

  @Override
  public void freeze(String id) {
    synchronized (this) {
      if (!box(id).frozen) {
        calls.add("freeze " + box(id).spec.name());
        box(id).frozen = true;
      }
    }
    whileFreezing.run();
  }

  @Override
  public void thaw(String id) {
    beforeThaw.run();
    synchronized (this) {
      if (box(id).frozen) {
        calls.add("thaw " + box(id).spec.name());
        box(id).frozen = false;
      }
    }
  }

  @Override
  public boolean thawAtOnce(String id) {
    if (thawsAtOnce) {
      thaw(id);
    }
    return thawsAtOnce;
  }

  @Override
  public synchronized Optional<Residence> residence(String id) {
    return boxes.containsKey(id) && !homeless
        ? Optional.of(new Residence(box(id).state == State.CREATED ? Optional.empty() : cgroup, Optional.empty(),
            Optional.empty(), settled ? Optional.of(InetAddress.getLoopbackAddress()) : Optional.empty(), Optional.empty()))
        : Optional.empty();
  }

  @Override
  public synchronized ContainerStats stats(String id) {
    return new ContainerStats(7_000_000, memory.getOrDefault(box(id).spec.image(), 1L << 20), 0, 1);
  }

  @Override
  public void sweep() {
    swept.countDown();
  }

  @Override
  public Optional<String> imageId(String reference) {
    Optional<String> id = reference.equals(missingImage) ? Optional.empty()
        : Optional.of("id of " + reference + imageVersions.getOrDefault(reference, ""));
    lookedUp.countDown();
    imageQuestions.incrementAndGet();
    return id;
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
    throw new UnsupportedOperationException();
  }

  @Override
  public void pull(String reference, Consumer<String> progress) {
    throw new UnsupportedOperationException();
  }
}

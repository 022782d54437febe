package io.weir.gateway.http.internal;

import io.weir.broker.Broker;
import io.weir.engine.Breakdown;
import io.weir.engine.Calibration;
import io.weir.deployment.Deployment;
import io.weir.deployment.Deployments;
import io.weir.deployment.InstalledPackage;
import io.weir.deployment.Refused;
import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStats;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineEvent;
import io.weir.engine.EngineException;
import io.weir.engine.EngineInfo;
import io.weir.engine.Instance;
import io.weir.engine.FunctionUsage;
import io.weir.engine.InstancePool;
import io.weir.engine.Ladder;
import io.weir.engine.Lease;
import io.weir.engine.MemoryBudget;
import io.weir.engine.Pressure;
import io.weir.engine.Runners;
import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.event.Part;
import io.weir.forecast.ForecastReport;
import io.weir.forecast.Foresight;
import io.weir.forecast.Outlook;
import io.weir.forecast.Prewarms;
import io.weir.forecast.Window;
import io.weir.function.FunctionName;
import io.weir.function.FunctionRegistry;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidDeclaration;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Priority;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import io.weir.invocation.Courier;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.Invoker;
import io.weir.invocation.Outcome;
import io.weir.kernel.KernelReport;
import io.weir.kernel.Meter;
import io.weir.kernel.ServiceAddresses;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** The rest of the gateway, as small as the tests of this package can do with. */
final class Fakes implements Services, AutoCloseable {
  static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

  /** What the invoker does; runs on a thread of its own. */
  interface Behaviour {
    Outcome answer(Invocation invocation) throws IOException;
  }

  final Registry registry = new Registry();
  final Bus events = new Bus();
  final Engine engine = new Engine();
  final Pool pool = new Pool();
  final Steps ladder = new Steps();
  final Expectations foresight = new Expectations();
  final List<Part> parts = new CopyOnWriteArrayList<>();
  volatile boolean ready = true;
  volatile Optional<ServiceAddresses> serviceAddresses = Optional.empty();
  final ExecutorService invokerThreads = Executors.newCachedThreadPool();
  volatile Behaviour behaviour = invocation -> replied(200, "");
  final MemoryJournal journal = new MemoryJournal();
  final MemoryCourier courier = new MemoryCourier(journal, this::invoke);
  volatile boolean without;
  volatile boolean withoutJournal;

  static FunctionSpec function(String name, Trigger... triggers) {
    return new FunctionSpec(new FunctionName(name), new Source.Image("localhost/" + name + ":1"), 8080, List.of(triggers),
        Optional.empty(), new Limits(64 << 20, 0.5, 64), new Scaling(0, 2, 8, Duration.ofSeconds(30)),
        Duration.ofSeconds(10), Map.of("THRESHOLD", "3.5"));
  }

  static FunctionSpec handler(String name) {
    FunctionSpec base = function(name);
    return new FunctionSpec(base.name(), new Source.Handler(Language.PYTHON, "thermo.py", "pass # ä\n"), base.port(),
        base.triggers(), base.output(), base.limits(), new Scaling(0, 2, 8, Duration.ofHours(1),
            Optional.of(Rung.FROZEN), Priority.HIGH), base.timeout(), base.environment());
  }

  static FunctionSpec thermo() {
    FunctionSpec base = function("thermo", new Trigger.Mqtt(new TopicFilter("sensors/+/t"), 1, "/"),
        new Trigger.Http("/thermo"));
    return new FunctionSpec(base.name(), base.source(), base.port(), base.triggers(),
        Optional.of(new TopicTemplate("alerts/{1}")), base.limits(), base.scaling(), base.timeout(),
        base.environment());
  }

  static Outcome replied(int status, String body, Header... headers) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    return replied(status, new ByteArrayInputStream(bytes), bytes.length, Duration.ZERO, () -> { }, headers);
  }

  static Outcome replied(int status, InputStream in, long length, Duration coldStart, Runnable onClose,
      Header... headers) {
    return new Outcome.Replied(status, List.of(headers), new Outcome.Body() {
      @Override
      public InputStream stream() {
        return in;
      }

      @Override
      public long length() {
        return length;
      }

      @Override
      public void close() {
        onClose.run();
      }
    }, Duration.ofMillis(2), coldStart);
  }

  @Override
  public void close() {
    invokerThreads.shutdownNow();
  }

  @Override
  public Optional<ServiceAddresses> serviceAddresses() {
    return serviceAddresses;
  }

  @Override
  public FunctionRegistry registry() {
    return registry;
  }

  @Override
  public Events events() {
    return events;
  }

  @Override
  public Optional<Invoker> invoker() {
    return without ? Optional.empty() : Optional.of(this::invoke);
  }

  @Override
  public Optional<InvocationJournal> journal() {
    return without || withoutJournal ? Optional.empty() : Optional.of(journal);
  }

  @Override
  public Optional<Courier> courier() {
    return without || withoutJournal ? Optional.empty() : Optional.of(courier);
  }

  private CompletionStage<Outcome> invoke(Invocation invocation) {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    invokerThreads.execute(() -> {
      try {
        outcome.complete(behaviour.answer(invocation));
      } catch (IOException | RuntimeException e) {
        outcome.complete(new Outcome.Failed("connection-reset", String.valueOf(e.getMessage()), false));
      }
    });
    return outcome;
  }

  @Override
  public Optional<ContainerEngine> engine() {
    return without ? Optional.empty() : Optional.of(engine);
  }

  @Override
  public Optional<InstancePool> pool() {
    return without ? Optional.empty() : Optional.of(pool);
  }

  @Override
  public Optional<Foresight> foresight() {
    return without ? Optional.empty() : Optional.of(foresight);
  }

  @Override
  public Optional<Ladder> ladder() {
    return without ? Optional.empty() : Optional.of(ladder);
  }

  @Override
  public Optional<Runners> runners() {
    return without ? Optional.empty() : Optional.of(new Runners() {
      @Override
      public void keepFor(Collection<FunctionSpec> functions) {
        throw new UnsupportedOperationException();
      }

      @Override
      public Runner claim(FunctionSpec function, Consumer<Runner> chosen) {
        throw new UnsupportedOperationException();
      }

      @Override
      public List<Spare> spares() {
        return List.of(new Spare("weir-runner-1", "python", 9L << 20));
      }
    });
  }

  @Override
  public Optional<Broker> broker() {
    return without ? Optional.empty() : Optional.of(new Broker() {
      @Override
      public URI uri() {
        return URI.create("tcp://127.0.0.1:1883");
      }

      @Override
      public Optional<Credentials> credentials() {
        return Optional.of(new Credentials("weir", "secret"));
      }

      @Override
      public boolean bundled() {
        return true;
      }

      @Override
      public String state() {
        return "running";
      }
    });
  }

  @Override
  public Optional<KernelReport> kernel() {
    return without ? Optional.empty() : Optional.of(new KernelReport() {
      @Override
      public String kernel() {
        return "6.18.44";
      }

      @Override
      public List<Feature> features() {
        return List.of(new Feature("meter", true, "cgroup_skb", ""), new Feature("route", false, "nftables", "no tcx"));
      }

      @Override
      public Map<String, Long> notes() {
        return Map.of("denied-egress", 4L);
      }
    });
  }

  @Override
  public Optional<Deployments> deployments() {
    return without ? Optional.empty() : Optional.of(deployments);
  }

  @Override
  public Optional<Meter> meter() {
    return without ? Optional.empty() : Optional.of(new Counted());
  }

  final FakeDeployments deployments = new FakeDeployments();

  /** Takes what begins with "good", refuses what else there is with its own words as the code. */
  static final class FakeDeployments implements Deployments {
    final List<Deployment> known = new java.util.ArrayList<>();

    @Override
    public Deployment install(java.io.InputStream from, String source) throws IOException {
      String text = new String(from.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
      if (!text.startsWith("good")) {
        throw new Refused(Refused.Code.valueOf(text), "not this one", null);
      }
      Deployment begun = new Deployment("d1", "thermo", "1.2.0", source, "us.pem", Deployment.State.LOADING, "loading", 10,
          Optional.of("1.1.0"), "", NOON, NOON);
      known.add(begun);
      return begun;
    }

    @Override
    public boolean remove(String name) {
      if (name.equals("busy")) {
        throw new Refused(Refused.Code.BUSY, "busy", null);
      }
      return name.equals("thermo");
    }

    @Override
    public Optional<Deployment> find(String id) {
      return known.stream().filter(each -> each.id().equals(id)).findFirst();
    }

    @Override
    public List<Deployment> recent() {
      return List.copyOf(known);
    }

    @Override
    public List<InstalledPackage> packages() {
      return List.of(new InstalledPackage("thermo", "1.1.0", "", List.of(new FunctionName("thermo")), Optional.of(NOON)));
    }
  }

  /** Ten requests to thermo: nine took less than 100 microseconds, one less than 10 milliseconds. */
  static final class Counted implements Meter {
    private static final Counts COUNTS = new Counts(11, List.of(0L, 0L, 9L, 0L, 0L, 1L), 1, 0, 3, 0, 1, 4_000, 8_000);

    @Override
    public List<Long> bounds() {
      return List.of(100L, 10_000L, Long.MAX_VALUE);
    }

    @Override
    public List<FunctionTraffic> functions() {
      return List.of(new FunctionTraffic(new FunctionName("thermo"), COUNTS, List.of(9L, 1L, 0L), 5_000));
    }

    @Override
    public List<InstanceTraffic> instances() {
      return List.of(new InstanceTraffic("0123", new FunctionName("thermo"), COUNTS));
    }
  }

  @Override
  public List<Part> parts() {
    return parts;
  }

  static Part part(String name, boolean ready) {
    return new Part() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public boolean ready() {
        return ready;
      }

      @Override
      public String state() {
        return "so-so";
      }
    };
  }

  static final class Registry implements FunctionRegistry {
    final Map<FunctionName, FunctionSpec> functions = new LinkedHashMap<>();
    volatile String declared = "";
    volatile Map<String, String> files = Map.of();
    volatile InvalidDeclaration refusal;

    void add(FunctionSpec function) {
      functions.put(function.name(), function);
    }

    @Override
    public List<FunctionSpec> functions() {
      return List.copyOf(functions.values());
    }

    @Override
    public Optional<FunctionSpec> find(FunctionName name) {
      return Optional.ofNullable(functions.get(name));
    }

    @Override
    public Optional<String> origin(FunctionName name) {
      return Optional.of("api");
    }

    @Override
    public List<io.weir.function.Problem> problems() {
      return List.of(new io.weir.function.Problem("bad.yaml", 3, "no good", NOON));
    }

    @Override
    public List<FunctionSpec> declare(String yaml, String source, Map<String, String> files) {
      if (refusal != null) {
        throw refusal;
      }
      declared = source + "|" + yaml;
      this.files = files;
      return List.of(thermo());
    }

    @Override
    public boolean remove(FunctionName name) {
      if (refusal != null) {
        throw refusal;
      }
      return functions.remove(name) != null;
    }
  }

  static final class Bus implements Events {
    final List<GatewayEvent> past = new CopyOnWriteArrayList<>();
    final List<Consumer<GatewayEvent>> listeners = new CopyOnWriteArrayList<>();

    @Override
    public void publish(GatewayEvent event) {
      past.add(event);
      listeners.forEach(listener -> listener.accept(event));
    }

    @Override
    public List<GatewayEvent> recent() {
      return List.copyOf(past);
    }

    @Override
    public AutoCloseable subscribe(Consumer<GatewayEvent> listener) {
      listeners.add(listener);
      return () -> listeners.remove(listener);
    }

    volatile Map<String, Long> counters = Map.of("invocations.no-content", 7L);
    volatile List<Measure> measures = List.of();

    @Override
    public Map<String, Long> counters() {
      return counters;
    }

    @Override
    public List<Measure> measures() {
      return measures;
    }
  }

  /** Expects a call of every function at noon. */
  static final class Expectations implements Foresight {
    volatile Optional<String> unused = Optional.empty();
    volatile boolean called = true;

    @Override
    public Optional<Outlook> outlook(FunctionName function) {
      ForecastReport report = new ForecastReport(function, "timers", 12,
          Optional.of(new Window(NOON.minusSeconds(2), NOON.plusSeconds(2), 0.9)),
          List.of(new ForecastReport.Follower(new FunctionName("echo"), 2.3, 0.4, 0.8)),
          List.of(new ForecastReport.Candidate("timers", new ForecastReport.Account(11, 1, 2, 320.5, 0.25),
              ForecastReport.Account.NONE)));
      return Optional.of(new Outlook(function, unused, Rung.FROZEN, new Prewarms(5, 2, 1, 1, 3),
          called ? Optional.of(report) : Optional.empty()));
    }

    @Override
    public Map<FunctionName, Prewarms> prewarms() {
      return Map.of(new FunctionName("thermo"), new Prewarms(5, 2, 1, 1, 3), new FunctionName("echo"), Prewarms.NONE);
    }
  }

  /** A ladder that does what it was told to; writes down what it was asked. */
  static final class Steps implements Ladder {
    final List<String> calls = new CopyOnWriteArrayList<>();
    volatile CompletionStage<Void> rested = CompletableFuture.completedFuture(null);
    volatile RuntimeException failure;
    volatile Optional<Breakdown> breakdown = Optional.empty();

    private static final Calibration MEASURED = new Calibration(new FunctionName("thermo"), "localhost/thermo:1", NOON,
        List.of(new Calibration.Figure(Rung.FROZEN, Duration.ofNanos(1_250_000), Duration.ofMillis(2), 18L << 20, 5),
            new Calibration.Figure(Rung.IMAGE, Duration.ofMillis(90), Duration.ZERO, 0, 3)));

    @Override
    public CompletionStage<Void> rest(FunctionName function, Rung rung) {
      calls.add(function + " to " + rung.label());
      return failure == null ? rested : CompletableFuture.failedFuture(failure);
    }

    @Override
    public List<Calibration> calibrations() {
      return List.of(MEASURED);
    }

    @Override
    public CompletionStage<Calibration> calibrate(FunctionName function) {
      calls.add("calibrate " + function);
      return failure == null ? CompletableFuture.completedFuture(MEASURED) : CompletableFuture.failedFuture(failure);
    }

    @Override
    public MemoryBudget budget() {
      return new MemoryBudget(512L << 20, 18L << 20, true);
    }

    @Override
    public Optional<Breakdown> breakdown(FunctionName function) {
      return breakdown;
    }
  }

  static final class Pool implements InstancePool {
    @Override
    public CompletionStage<Lease> acquire(FunctionName function, Duration patience) {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<Instance> instances() {
      return List.of(new Instance("0123", "weir-thermo-1", new FunctionName("thermo"), "abc", Instance.State.READY,
          Optional.of("127.0.0.1:40000"), 2, 17, 18L << 20, NOON));
    }

    @Override
    public List<FunctionUsage> usage() {
      return List.of(
          new FunctionUsage(new FunctionName("other"), 0, 0, 0, 0, 0, Optional.empty()),
          new FunctionUsage(new FunctionName("thermo"), 2, 1_500_000_000L, 18L << 20, 128L << 20, 5,
              Optional.of(new Pressure(12.5, 0, 0.25))));
    }

    @Override
    public List<String> logs(FunctionName function, int lines) {
      return List.of("hello", lines + " lines");
    }
  }

  static final class Engine implements ContainerEngine {
    final List<String> calls = new ArrayList<>();
    volatile EngineException failure;

    private void called(String call) {
      if (failure != null) {
        throw failure;
      }
      calls.add(call);
    }

    private static long count(InputStream in) {
      try {
        return in.transferTo(java.io.OutputStream.nullOutputStream());
      } catch (IOException e) {
        throw new EngineException(EngineException.Code.FAILED, "cut", e);
      }
    }

    @Override
    public EngineInfo info() {
      return new EngineInfo("5.4.2", "crun 1.21", "/run/weir/podman.sock", true, false, "v2");
    }

    @Override
    public Optional<String> imageId(String reference) {
      called("exists " + reference);
      return Optional.of("0123");
    }

    @Override
    public List<String> load(InputStream archive) {
      called("load " + count(archive));
      return List.of("localhost/a:1");
    }

    @Override
    public void importImage(String reference, List<String> changes, InputStream rootfs) {
      called("import " + reference + " " + changes + " " + count(rootfs));
    }

    @Override
    public void build(String reference, InputStream context, Consumer<String> progress) {
      progress.accept("STEP 1: FROM scratch");
      called("build " + reference + " " + count(context));
    }

    @Override
    public void pull(String reference, Consumer<String> progress) {
      called("pull " + reference);
    }

    @Override
    public String create(ContainerSpec spec) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void init(String id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public InetSocketAddress start(String id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void freeze(String id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void thaw(String id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean thawAtOnce(String id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void stop(String id, Duration grace) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void remove(String id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public ContainerStatus inspect(String id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<ContainerStatus> list(Map<String, String> labels) {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<String> logs(String id, int lines) {
      throw new UnsupportedOperationException();
    }

    @Override
    public ContainerStats stats(String id) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void sweep() {
      throw new UnsupportedOperationException();
    }

    @Override
    public AutoCloseable watch(String label, String value, Consumer<EngineEvent> listener) {
      throw new UnsupportedOperationException();
    }
  }
}

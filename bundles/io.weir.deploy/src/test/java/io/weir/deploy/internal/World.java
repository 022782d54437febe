package io.weir.deploy.internal;

import io.weir.deployment.Deployment;
import io.weir.engine.Breakdown;
import io.weir.engine.Calibration;
import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineException;
import io.weir.engine.Instance;
import io.weir.engine.InstancePool;
import io.weir.engine.Ladder;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import io.weir.engine.MemoryBudget;
import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.function.FunctionRegistry;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidDeclaration;
import io.weir.function.Limits;
import io.weir.function.PackagedFunctions;
import io.weir.function.Priority;
import io.weir.function.Problem;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import io.weir.weirpkg.Manifest;
import io.weir.weirpkg.PackageWriter;
import io.weir.weirpkg.Signing;

/** A gateway as far as a deployer sees it. A weir.yaml here is lines of {@code NAME IMAGE}. */
final class World implements FunctionRegistry, PackagedFunctions, InstancePool, Ladder, Events {
  static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

  final Map<FunctionName, FunctionSpec> functions = new ConcurrentSkipListMap<>((a, b) -> a.value().compareTo(b.value()));
  final Map<FunctionName, String> origins = new ConcurrentHashMap<>();
  final Set<String> images = new ConcurrentSkipListSet<>();
  /** Images that containers are of. */
  final Set<String> used = new ConcurrentSkipListSet<>();
  final List<String> rehearsed = new CopyOnWriteArrayList<>();
  final List<GatewayEvent.DeploymentChanged> events = new CopyOnWriteArrayList<>();
  final List<Instance> instances = new CopyOnWriteArrayList<>();
  /** What a rehearsal fails with; null if it succeeds. */
  volatile Function<FunctionSpec, String> stubborn = spec -> null;
  /** While set, rehearsals wait for it. */
  volatile CountDownLatch gate;
  volatile boolean broken;
  volatile boolean refusesArchives;
  private final Settings settings;
  private final Deployer deployer;
  private final ContainerEngine engine = engine();

  World(Path folder) {
    this(new Settings(folder.resolve("books"), folder.resolve("trust.d"), true, Optional.empty(), 1 << 20, Duration.ofSeconds(5)));
  }

  World(Settings settings) {
    this.settings = settings;
    this.deployer = new Deployer(this, this, engine, this, this, this, settings, "amd64", Clock.fixed(NOON, ZoneOffset.UTC));
  }

  Deployer deployer() {
    return deployer;
  }

  /** The same gateway after a restart of the deployer. */
  Deployer again() {
    deployer.close();
    return new Deployer(this, this, engine, this, this, this, settings, "amd64", Clock.fixed(NOON, ZoneOffset.UTC));
  }

  /** The engine has more to it than a deployer uses. */
  private ContainerEngine engine() {
    return (ContainerEngine) Proxy.newProxyInstance(World.class.getClassLoader(), new Class<?>[] {ContainerEngine.class},
        (proxy, method, arguments) -> switch (method.getName()) {
          case "imageId" -> images.contains(arguments[0]) ? Optional.of("id") : Optional.empty();
          case "load" -> load((InputStream) arguments[0]);
          case "removeImage" -> {
            if (used.contains(arguments[0])) {
              throw new EngineException(EngineException.Code.CONFLICT, "there are containers of it");
            }
            images.remove(arguments[0]);
            yield null;
          }
          default -> throw new UnsupportedOperationException(method.getName());
        });
  }

  private List<String> load(InputStream archive) throws IOException {
    String text = new String(archive.readAllBytes(), StandardCharsets.UTF_8);
    if (refusesArchives) {
      throw new EngineException(EngineException.Code.BAD_REQUEST, "loading an image archive failed: no such layer");
    }
    String reference = text.replaceAll("(?s).*\"RepoTags\":\\[\"([^\"]*)\"].*", "$1");
    images.add(reference);
    return List.of(reference);
  }

  // ---- packages ----

  static byte[] thermo(String version, String program) {
    return pack("thermo", version, "thermo localhost/thermo:1", Optional.of("amd64"), program, Optional.empty());
  }

  static byte[] signed(String version, String program, PrivateKey key) {
    return pack("thermo", version, "thermo localhost/thermo:1", Optional.of("amd64"), program, Optional.of(key));
  }

  static byte[] pack(String name, String version, String yaml, Optional<String> architecture, String program,
      Optional<PrivateKey> key) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("weir.yaml", yaml.getBytes(StandardCharsets.UTF_8));
    files.put("images/thermo.tar", archive(program));
    List<Manifest.File> entries = files.entrySet().stream()
        .map(file -> new Manifest.File(file.getKey(), file.getValue().length, sha256(file.getValue()))).toList();
    Manifest manifest = new Manifest(name, version, architecture, Map.of("localhost/thermo:1", "images/thermo.tar"), entries);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      PackageWriter.write(manifest, key.map(its -> Signing.sign(manifest.bytes(), its)),
          file -> new ByteArrayInputStream(files.get(file.name())), out);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** What {@code podman save} writes, as far as it matters: tar headers by tar itself. */
  private static byte[] archive(String program) {
    try {
      Path folder = java.nio.file.Files.createTempDirectory("weir-archive");
      java.nio.file.Files.writeString(folder.resolve("layer.tar"), program);
      java.nio.file.Files.writeString(folder.resolve("manifest.json"),
          "[{\"Config\":\"c.json\",\"RepoTags\":[\"localhost/thermo:1\"],\"Layers\":[\"layer.tar\"]}]");
      Process tar = new ProcessBuilder("tar", "-C", folder.toString(), "--format=ustar", "--mtime=@0", "-cf", "-", "layer.tar",
          "manifest.json").start();
      byte[] bytes = tar.getInputStream().readAllBytes();
      Staged.delete(folder);
      return bytes;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  Deployment install(byte[] bytes) throws IOException {
    return deployer.install(new ByteArrayInputStream(bytes), "test");
  }

  Deployment installed(byte[] bytes) throws Exception {
    return ended(deployer, install(bytes).id());
  }

  static Deployment ended(Deployer deployer, String id) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!deployer.find(id).orElseThrow().state().isFinal()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("never ended: " + deployer.find(id));
      }
      Thread.onSpinWait();
    }
    return deployer.find(id).orElseThrow();
  }

  static void await(java.util.function.BooleanSupplier what) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!what.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("it never was so");
      }
      Thread.onSpinWait();
    }
  }

  String image(String function) {
    return functions.get(new FunctionName(function)).source().toString();
  }

  void runs(String function, FunctionSpec spec) {
    instances.add(new Instance("id", "weir-" + function, new FunctionName(function), spec.revision(), Instance.State.READY,
        Optional.empty(), 0, 0, 0, NOON));
  }

  // ---- registry ----

  static FunctionSpec spec(String name, String image) {
    return new FunctionSpec(new FunctionName(name), new Source.Image(image), 8080, List.of(), Optional.empty(),
        new Limits(64 << 20, 1, 64), new Scaling(0, 1, 8, Duration.ofHours(1), Optional.of(Rung.IMAGE), Priority.NORMAL),
        Duration.ofSeconds(5), Map.of());
  }

  @Override
  public List<FunctionSpec> read(String yaml, String source, Map<String, String> files) {
    List<FunctionSpec> specs = new ArrayList<>();
    for (String line : yaml.lines().toList()) {
      if (line.equals("wrong")) {
        throw new InvalidDeclaration(new Problem(source, 1, "wrong", NOON), null);
      }
      specs.add(spec(line.split(" ")[0], line.split(" ")[1]));
    }
    return specs;
  }

  @Override
  public Runnable replace(String name, List<FunctionSpec> specs, String source) {
    if (specs.stream().anyMatch(spec -> spec.name().value().equals("taken"))) {
      throw new InvalidDeclaration(new Problem(source, 0, "function taken: is declared by f.yaml already", NOON), null);
    }
    Map<FunctionName, FunctionSpec> before = new LinkedHashMap<>(functions);
    Map<FunctionName, String> ownersBefore = new LinkedHashMap<>(origins);
    functions.keySet().removeIf(each -> (ORIGIN + name).equals(origins.get(each)));
    specs.forEach(spec -> {
      functions.put(spec.name(), spec);
      origins.put(spec.name(), ORIGIN + name);
    });
    return () -> {
      functions.clear();
      functions.putAll(before);
      origins.clear();
      origins.putAll(ownersBefore);
    };
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
    return Optional.ofNullable(origins.get(name));
  }

  @Override
  public List<Problem> problems() {
    return List.of();
  }

  @Override
  public List<FunctionSpec> declare(String yaml, String source, Map<String, String> files) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean remove(FunctionName name) {
    throw new UnsupportedOperationException();
  }

  // ---- pool ----

  @Override
  public CompletionStage<Void> rehearse(FunctionSpec function, Duration patience) {
    return CompletableFuture.runAsync(() -> {
      rehearsed.add(function.name() + " " + function.source());
      try {
        CountDownLatch open = gate;
        if (open != null) {
          open.await();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      String why = stubborn.apply(function);
      if (why != null) {
        throw new LeaseRefused(LeaseRefused.Code.START_FAILED, why, Duration.ZERO, null);
      }
    });
  }

  @Override
  public List<Instance> instances() {
    return List.copyOf(instances);
  }

  @Override
  public Optional<Breakdown> breakdown(FunctionName function) {
    return broken ? Optional.of(new Breakdown(3, "exit code 1", NOON, NOON)) : Optional.empty();
  }

  @Override
  public CompletionStage<Lease> acquire(FunctionName function, Duration patience) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<String> logs(FunctionName function, int lines) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Void> rest(FunctionName function, Rung rung) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<Calibration> calibrations() {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Calibration> calibrate(FunctionName function) {
    throw new UnsupportedOperationException();
  }

  @Override
  public MemoryBudget budget() {
    throw new UnsupportedOperationException();
  }

  // ---- events ----

  @Override
  public void publish(GatewayEvent event) {
    events.add((GatewayEvent.DeploymentChanged) event);
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
}

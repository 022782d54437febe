package io.weir.activator.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Network;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.kernel.ServiceAddresses.ServiceAddress;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** An activator with a pool, a function's server and clients. */
final class World implements AutoCloseable {
  static final FunctionName ECHO = new FunctionName("echo");
  static final Duration LOOK = Duration.ofMillis(100);
  static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int PORTS = 21;
  private static final int RANGES = 400;
  /** Another one in each process, so that those that run side by side seldom meet. */
  private static final AtomicInteger NEXT_RANGE = new AtomicInteger((int) (ProcessHandle.current().pid() * 89 % RANGES));
  final FakePool pool = new FakePool();
  final BlockingQueue<GatewayEvent> events = new LinkedBlockingQueue<>();
  final Origin origin = new Origin();
  final Path data;
  volatile Interfaces.Found found = Interfaces.look(Set.of());
  Settings settings = settings(1000, 4096);
  private Activator activator;

  World(Path data) throws IOException {
    this.data = data;
  }

  /** Of a gateway that waits for anybody, so that no test fails because the machine was busy. */
  Settings settings(int perFunction, int total) {
    int base = freshRange();
    return new Settings(base, base + PORTS - 1, Set.of(), perFunction, total, PATIENCE, PATIENCE, PATIENCE);
  }

  /** From now on, before the first function is added, nobody is waited for longer. */
  void hurry(Duration headTimeout, Duration stallTimeout) {
    settings = new Settings(settings.firstPort(), settings.lastPort(), settings.interfaces(), settings.heldPerFunction(),
        settings.heldTotal(), settings.patience(), headTimeout, stallTimeout);
  }

  /** Where no test was before: a port that was listened on cannot be kept from everybody while connections to it linger. */
  private static int freshRange() {
    return 10_000 + NEXT_RANGE.getAndIncrement() % RANGES * PORTS;
  }

  Activator activator() {
    if (activator == null) {
      activator = new Activator(pool, bus(), settings, data, LOOK, () -> found);
    }
    return activator;
  }

  /** As after a crash, but for what the kernel closes. */
  void restart() {
    activator.close();
    activator = null;
  }

  private Events bus() {
    return new Events() {
      @Override
      public void publish(GatewayEvent event) {
        events.add(event);
      }

      @Override
      public List<GatewayEvent> recent() {
        return List.of();
      }

      @Override
      public AutoCloseable subscribe(Consumer<GatewayEvent> listener) {
        return () -> { };
      }

      @Override
      public Map<String, Long> counters() {
        return Map.of();
      }
    };
  }

  static FunctionSpec function(String name, Network network) {
    return function(name, network, PATIENCE);
  }

  /** @param timeout within which it has to answer */
  static FunctionSpec function(String name, Network network, Duration timeout) {
    return new FunctionSpec(new FunctionName(name), new Source.Image("x"), 8080, List.of(), Optional.empty(),
        new Limits(64 << 20, 1, 64), new Scaling(0, 1, 8, Duration.ofHours(1)), timeout, Map.of(), network);
  }

  static Network port(int port) {
    return new Network(OptionalInt.of(port), List.of(), 0, 0, List.of());
  }

  /** Adds the function and returns its port once it is there. */
  int add(FunctionSpec function) {
    activator().functionAdded(function);
    return until(function.name(), address -> address.problem().isEmpty() && !address.addresses().isEmpty()).port();
  }

  /** The function {@code echo}, with an instance that is there. */
  int echo() {
    pool.at(origin.port());
    return add(function("echo", Network.DEFAULT));
  }

  ServiceAddress until(FunctionName name, java.util.function.Predicate<ServiceAddress> what) {
    ServiceAddress[] seen = new ServiceAddress[1];
    until("address of " + name, () -> {
      seen[0] = activator().of(name).orElse(null);
      return seen[0] != null && what.test(seen[0]);
    });
    return seen[0];
  }

  static void until(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(deadline);
      java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
    }
  }

  void untilAllReturned() {
    until("no lease is left, but " + pool.open, () -> pool.open.get() == 0 && pool.waiting() == 0);
  }

  /** How the lease came back that was given last; before it there may have been one for a client that was not yet heard. */
  String lastReturned() {
    untilAllReturned();
    return List.copyOf(pool.returned).get(pool.returned.size() - 1);
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  Client connect(int port) throws IOException {
    return new Client(new Socket("127.0.0.1", port));
  }

  /** One connection of a client. */
  static final class Client implements AutoCloseable {
    final Socket socket;
    final InputStream in;
    final OutputStream out;

    Client(Socket socket) throws IOException {
      this.socket = socket;
      socket.setSoTimeout(20_000);
      socket.setTcpNoDelay(true);
      this.in = new java.io.BufferedInputStream(socket.getInputStream());
      this.out = socket.getOutputStream();
    }

    Client send(String text) throws IOException {
      out.write(text.getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
      return this;
    }

    Client get(String path) throws IOException {
      return send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }

    String head() throws IOException {
      return Origin.head(in);
    }

    /** The body of the next answer. */
    String body() throws IOException {
      String head = head();
      assertThat(head).as("an answer").isNotNull();
      return new String(in.readNBytes(Origin.length(head)), StandardCharsets.ISO_8859_1);
    }

    /** Everything up to the end, which must be one in good order. */
    String rest() throws IOException {
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  @Override
  public void close() throws Exception {
    if (activator != null) {
      activator.close();
    }
    origin.close();
  }
}

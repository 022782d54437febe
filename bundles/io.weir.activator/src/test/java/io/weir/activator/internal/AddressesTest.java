package io.weir.activator.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.activator.internal.World.Client;
import io.weir.event.GatewayEvent.PartChanged;
import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import io.weir.function.Network;
import io.weir.kernel.ServiceAddresses.ServiceAddress;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who has which port where, and what the kernel is told of it. */
@Timeout(60)
class AddressesTest {
  @TempDir Path data;
  private World world;

  @BeforeEach
  void start() throws Exception {
    world = new World(data);
  }

  @AfterEach
  void stop() throws Exception {
    world.close();
  }

  @Test
  void keepsAChosenPortOverARestartAndForgetsItWithTheFunction() throws Exception {
    int first = world.add(World.function("a", Network.DEFAULT));
    int second = world.add(World.function("b", Network.DEFAULT));
    assertThat(second).isNotEqualTo(first);
    assertThat(Files.readString(data.resolve("service-ports"))).isEqualTo("a " + first + "\nb " + second + "\n");

    world.restart();

    assertThat(world.add(World.function("b", Network.DEFAULT))).isEqualTo(second);
    assertThat(world.add(World.function("c", Network.DEFAULT))).as("a may come back").isNotEqualTo(second);
    world.activator().functionRemoved(World.function("b", Network.DEFAULT));
    World.until("it is forgotten", () -> world.activator().of(new FunctionName("b")).isEmpty());
    assertThat(Files.readString(data.resolve("service-ports"))).doesNotContain("b ");
    assertThatThrownBy(() -> new Socket("127.0.0.1", second).close()).isInstanceOf(ConnectException.class);
  }

  @Test
  void aPortBookInRuinsCostsPortsOnly() throws Exception {
    Files.write(data.resolve("service-ports"), new byte[] {(byte) 0xff, 0, 'x', '\n', 'a', ' ', 'b'});

    assertThat(world.add(World.function("a", Network.DEFAULT))).isPositive();
  }

  @Test
  void isReachedOnBothLoopbacks() throws Exception {
    int port = world.echo();
    for (InetAddress address : world.found.addresses()) {
      try (Client client = new Client(new Socket(address, port))) {
        assertThat(client.get("/").body()).startsWith("GET");
      }
    }
    assertThat(world.activator().of(World.ECHO).orElseThrow().addresses()).hasSameSizeAs(world.found.addresses());
  }

  @Test
  void saysWhoHasAPortAndTakesItOnceItIsFree() throws Exception {
    world.pool.at(world.origin.port());
    try (ServerSocket other = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"))) {
      int port = other.getLocalPort();
      world.activator().functionAdded(World.function("echo", World.port(port)));
      ServiceAddress address = world.until(World.ECHO, each -> each.problem().isPresent());

      assertThat(address.port()).isEqualTo(port);
      assertThat(address.addresses()).isEmpty();
      assertThat(address.problem().orElseThrow()).isEqualTo("port " + port + " on 127.0.0.1 is in use by java (pid "
          + ProcessHandle.current().pid() + "); stop that, or give the function another service.port");
      assertThat(world.add(World.function("fine", Network.DEFAULT))).as("nobody else is affected").isPositive();
      assertThat(world.activator().state()).startsWith("1 service addresses on loopback by proxy, 1 not reached");
      World.until("it was told", () -> world.events.stream().anyMatch(event ->
          event instanceof PartChanged part && part.part().equals("services") && part.state().contains("1 not reached")));
    }
    ServiceAddress address = world.until(World.ECHO, each -> each.problem().isEmpty());
    try (Client client = world.connect(address.port())) {
      assertThat(client.get("/").body()).startsWith("GET");
    }
  }

  @Test
  void choosesAroundPortsThatAreTakenOrFixed() throws Exception {
    int first = world.settings.firstPort();
    try (ServerSocket other = new ServerSocket(first, 5, InetAddress.getByName("127.0.0.1"))) {
      assertThat(world.add(World.function("fixed", World.port(first + 1)))).isEqualTo(first + 1);
      assertThat(world.add(World.function("free", Network.DEFAULT))).isGreaterThan(first + 1);
      assertThat(other.isBound()).isTrue();
    }
  }

  @Test
  void saysThatNoPortIsLeft() {
    int first = world.settings.firstPort();
    world.settings = new Settings(first, first, Set.of(), 10, 10, world.settings.patience(),
        world.settings.headTimeout(), world.settings.stallTimeout());
    world.add(World.function("a", Network.DEFAULT));
    world.activator().functionAdded(World.function("b", Network.DEFAULT));

    assertThat(world.until(new FunctionName("b"), each -> each.problem().isPresent()).problem())
        .contains("no port of " + first + "-" + first + " is free; widen ports of io.weir.activator");
  }

  @Test
  void refusesAPortThatItGaveToAnother() {
    int port = world.add(World.function("a", Network.DEFAULT));

    assertThatThrownBy(() -> world.activator().check(World.function("b", World.port(port))))
        .isInstanceOf(InvalidFunction.class).hasMessage("service.port: '" + port + "' is what the gateway gave to function "
            + "a; choose another, best outside of ports of io.weir.activator");
    assertThatCode(() -> world.activator().check(World.function("a", World.port(port)))).doesNotThrowAnyException();
    assertThatCode(() -> world.activator().check(World.function("b", Network.DEFAULT))).doesNotThrowAnyException();
  }

  @Test
  void movesToAnotherPortWithoutDroppingAnybody() throws Exception {
    int before = world.echo();
    try (Client client = world.connect(before)) {
      assertThat(client.get("/1").body()).startsWith("GET");
      int after = World.freePort();
      world.activator().functionChanged(World.function("echo", Network.DEFAULT), World.function("echo", World.port(after)));
      world.until(World.ECHO, each -> each.port() == after);

      assertThat(client.get("/2").body()).startsWith("GET");
      assertThatThrownBy(() -> world.connect(before)).isInstanceOf(ConnectException.class);
      try (Client other = world.connect(after)) {
        assertThat(other.get("/3").body()).startsWith("GET");
      }
    }
  }

  @Test
  void tellsTheKernelWhatItNeedsToKnowAndNothingTwice() throws Exception {
    FakeRoutes routes = new FakeRoutes(true);
    Network limited = new Network(OptionalInt.empty(), List.of("127.0.0.0/8"), 5, 10, List.of());
    world.add(World.function("a", limited));
    world.activator().setRoutes(routes);

    assertThat(told(routes, 3)).containsExactly("hold", "reachable " + world.found.addresses().size(),
        "declare a [127.0.0.0/8] 5 10");
    assertThat(routes.addresses).isEqualTo(world.found.addresses());
    World.until("it is shown", () -> world.activator().way().equals("ebpf"));
    world.activator().functionChanged(World.function("a", limited), World.function("a", Network.DEFAULT));
    assertThat(told(routes, 1)).containsExactly("declare a [] 0 0");
    world.activator().functionRemoved(World.function("a", Network.DEFAULT));
    assertThat(told(routes, 1)).containsExactly("withdraw a");
    assertThat(routes.told.poll(5 * World.LOOK.toMillis(), TimeUnit.MILLISECONDS)).isNull();
    world.activator().unsetRoutes(routes);
    World.until("it is forgotten", () -> world.activator().way().equals("proxy"));
  }

  private static List<String> told(FakeRoutes routes, int count) throws InterruptedException {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(routes.told.poll(20, TimeUnit.SECONDS));
    }
    return all;
  }

  @Test
  void listensOnceForAllWhereTheKernelBringsConnectionsThere() throws Exception {
    int port = world.echo();
    try (Client client = world.connect(port)) {
      assertThat(client.get("/1").body()).startsWith("GET");

      FakeRoutes routes = new FakeRoutes(true);
      world.activator().setRoutes(routes);
      World.until("its own listener is gone", () -> refuses(port));

      try (Client stray = world.connect(routes.listener)) {
        assertThat(stray.in.read()).as("nobody's service").isNegative();
      }
      assertThat(client.get("/2").body()).as("who was there stays").startsWith("GET");

      world.activator().unsetRoutes(routes);
      World.until("it is reached again", () -> !refuses(port));
      try (Client other = world.connect(port)) {
        assertThat(other.get("/3").body()).startsWith("GET");
      }
      World.until("the common listener is gone", () -> refuses(routes.listener));
    }
  }

  @Test
  void keepsAPortFromOthersWhereItDoesNotListen() throws Exception {
    FakeRoutes routes = new FakeRoutes(true);
    world.pool.at(world.origin.port());
    world.activator().setRoutes(routes);
    int port = world.add(World.function("echo", Network.DEFAULT));
    assertThat(refuses(port)).isTrue();

    assertThatThrownBy(() -> new ServerSocket(port, 5, InetAddress.getByName("127.0.0.1")).close())
        .isInstanceOf(IOException.class);

    world.activator().unsetRoutes(routes);
    World.until("it listens", () -> !refuses(port));
    assertThat(world.activator().of(World.ECHO).orElseThrow().problem()).isEmpty();
  }

  @Test
  void keepsAListenerEachWhereTheKernelCannotBringConnectionsElsewhere() throws Exception {
    int port = world.echo();
    world.activator().setRoutes(new FakeRoutes(false));
    World.until("the kernel leads", () -> world.activator().way().equals("ebpf"));
    for (int i = 0; i < 5; i++) {
      try (Client client = world.connect(port)) {
        assertThat(client.get("/").body()).startsWith("GET");
      }
      Thread.sleep(World.LOOK.toMillis());
    }
  }

  @Test
  void noConnectionIsLostWhileListenersChange() throws Exception {
    int port = world.echo();
    FakeRoutes routes = new FakeRoutes(false);
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
    for (int i = 0; System.nanoTime() < until; i++) {
      if (i % 20 == 0) {
        world.activator().setRoutes(routes);
      } else if (i % 20 == 10) {
        world.activator().unsetRoutes(routes);
      }
      try (Client client = world.connect(port)) {
        assertThat(client.get("/" + i).body()).isEqualTo("GET /" + i + " HTTP/1.1");
      }
    }
  }

  @Test
  void carriesAndSaysSoWhatTheKernelHasNoRoomFor() throws Exception {
    world.pool.at(world.origin.port());
    FakeRoutes routes = new FakeRoutes(true);
    routes.most = 1;
    world.activator().setRoutes(routes);
    world.add(World.function("a", Network.DEFAULT));
    world.activator().functionAdded(World.function("echo", Network.DEFAULT));

    ServiceAddress echo = world.until(World.ECHO, address -> address.problem().isPresent());

    assertThat(echo.problem()).contains("no more than 1");
    assertThat(echo.addresses()).hasSameSizeAs(world.found.addresses());
    assertThat(world.activator().state()).contains("2 service addresses").contains("1 of them carried")
        .doesNotContain("not reached");
    for (InetAddress address : world.found.addresses()) {
      try (Client client = new Client(new Socket(address, echo.port()))) {
        assertThat(client.get("/").body()).startsWith("GET");
      }
    }

    world.activator().functionRemoved(World.function("a", Network.DEFAULT));
    world.until(World.ECHO, address -> address.problem().isEmpty() && address.port() == echo.port());
    World.until("its own listener is gone", () -> refuses(echo.port()));
  }

  private static boolean refuses(int port) {
    try (Socket socket = new Socket("127.0.0.1", port)) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  @Test
  void followsInterfacesThatComeAndGo() throws Exception {
    InetAddress lan = InetAddress.getByName("127.0.0.77");
    Interfaces.Found without = new Interfaces.Found(world.found.addresses(), Set.of("eth7"));
    List<InetAddress> both = new ArrayList<>(without.addresses());
    both.add(lan);
    world.found = without;
    int port = world.echo();
    assertThat(world.activator().state()).contains("interface eth7 is missing");
    assertThatThrownBy(() -> new Socket(lan, port).close()).isInstanceOf(ConnectException.class);

    world.found = new Interfaces.Found(both, Set.of());
    world.until(World.ECHO, address -> address.addresses().size() == both.size());
    try (Client client = new Client(new Socket(lan, port))) {
      assertThat(client.get("/").body()).startsWith("GET");

      world.found = without;
      world.until(World.ECHO, address -> address.addresses().size() == without.addresses().size());
      assertThat(client.get("/").body()).startsWith("GET");
    }
    assertThatThrownBy(() -> new Socket(lan, port).close()).isInstanceOf(ConnectException.class);
  }

  @Test
  void anAddressThatVanishesThisMomentIsNoProblem() throws Exception {
    List<InetAddress> both = new ArrayList<>(world.found.addresses());
    both.add(InetAddress.getByName("192.0.2.1"));
    world.found = new Interfaces.Found(both, Set.of());

    assertThat(world.add(World.function("a", Network.DEFAULT))).isPositive();
    assertThat(world.activator().of(new FunctionName("a")).orElseThrow().addresses()).hasSize(both.size() - 1);
  }
}

package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.kernel.KernelSignal;
import io.weir.kernel.Routes.Admission;
import io.weir.kernel.Routes;
import io.weir.kernel.Traffic;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Service addresses on this machine's kernel, as root, with a device on a network of its own. */
class RoutesIT {
  private static final FunctionName FUNCTION = new FunctionName("served");
  private static final int PORT = 29_001;
  @TempDir Path folder;
  private Lab lab;
  private Lab.Device device;

  @BeforeEach
  void open() throws Exception {
    lab = new Lab(folder);
    device = lab.device();
  }

  @AfterEach
  void close() throws Exception {
    lab.close();
  }

  private DataPlane served(Settings.Way way, Admission admission) throws Exception {
    DataPlane plane = lab.engage(way);
    Routes routes = lab.routes();
    routes.reachableAt(List.of(InetAddress.getByName(device.gateway)));
    routes.declare(FUNCTION, PORT, admission);
    return plane;
  }

  private Lab.House open(DataPlane plane) throws Exception {
    Lab.House house = lab.house();
    plane.traffic().join(house.member(FUNCTION.value()));
    house.listen();
    plane.traffic().open(house.container);
    return house;
  }

  /** The packet filter is told a little later. */
  private String eventually(String expected) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    String answer = device.get(PORT);
    while (!answer.matches(expected) && System.nanoTime() < deadline) {
      LockSupport.parkNanos(10_000_000);
      answer = device.get(PORT);
    }
    assertThat(answer).matches(expected);
    return answer;
  }

  @ParameterizedTest
  @EnumSource(names = {"EBPF", "NFT"})
  void leadsClientsToInstancesAsLongAsThereAreAny(Settings.Way way) throws Exception {
    DataPlane plane = served(way, Admission.EVERYBODY);
    assertThat(lab.routes().way().name()).isEqualTo(way.name());
    assertThat(device.get(PORT)).isEqualTo("curl 7");
    Lab.House house = open(plane);

    eventually("\\d+");
    assertThat(plane.meter().functions()).singleElement()
        .satisfies(traffic -> assertThat(traffic.counts().requests()).isEqualTo(Long.parseLong(device.get(PORT)) - 1));

    plane.traffic().drain(house.container);
    eventually("curl 7");
  }

  @Test
  void leadsNobodyToAnInstanceThatWasKilledAlthoughNobodyToldIt() throws Exception {
    DataPlane plane = served(Settings.Way.EBPF, Admission.EVERYBODY);
    Lab.House first = open(plane);
    eventually("\\d+");
    Lab.House second = open(plane);
    everyInstanceServes(plane);

    first.end();
    for (int i = 0; i < 20; i++) {
      assertThat(device.get(PORT)).as("by the one that lives").matches("\\d+");
    }

    second.end();
    long led = plane.notes().get("routed");
    assertThat(device.get(PORT)).as("by nobody").isEqualTo("curl 7");
    assertThat(plane.notes().get("routed")).isEqualTo(led);
  }

  @ParameterizedTest
  @EnumSource(names = {"EBPF", "NFT"})
  void spreadsClientsOverInstances(Settings.Way way) throws Exception {
    DataPlane plane = served(way, Admission.EVERYBODY);
    open(plane);
    open(plane);
    eventually("\\d+");

    everyInstanceServes(plane);
  }

  /** An instance can be led to only when its interface is, which is a little later than when it opens. */
  private void everyInstanceServes(DataPlane plane) throws Exception {
    eventually(() -> {
      device.get(PORT);
      return plane.meter().instances().stream().allMatch(instance -> instance.counts().requests() > 0);
    });
  }

  @ParameterizedTest
  @EnumSource(names = {"EBPF", "NFT"})
  void admitsOnlyWhoMayCome(Settings.Way way) throws Exception {
    DataPlane plane = served(way, new Admission(List.of("192.0.2.0/24"), 0, 0));
    open(plane);
    Routes routes = lab.routes();

    eventually("curl 28");
    routes.declare(FUNCTION, PORT, new Admission(List.of("192.0.2.0/24", device.address), 0, 0));
    eventually("\\d+");
  }

  @Test
  void thePacketFilterKeepsWhatItRemembersOfClientsWhenOtherFunctionsComeAndGo() throws Exception {
    DataPlane plane = served(Settings.Way.NFT, new Admission(List.of(), 1, 50));
    open(plane);
    Routes routes = lab.routes();
    FunctionName other = new FunctionName("other");
    eventually("\\d+");
    assertThat(table()).contains("elements = { " + device.address + " limit");

    routes.declare(other, PORT + 1, new Admission(List.of(), 3, 7));
    eventually(() -> table().contains("chain admit-" + (PORT + 1)));
    assertThat(table()).contains("elements = { " + device.address + " limit");
    routes.withdraw(other);
    eventually(() -> !table().contains("" + (PORT + 1)));
    routes.reachableAt(List.of(InetAddress.getByName(device.gateway), InetAddress.getByName("192.0.2.9")));
    eventually(() -> table().contains("192.0.2.9"));
    assertThat(table()).contains("elements = { " + device.address + " limit");
    assertThat(device.get(PORT)).matches("\\d+");

    routes.declare(FUNCTION, PORT, new Admission(List.of(), 2, 60));
    eventually(() -> table().contains("limit rate over 2/second burst 60"));
    routes.declare(FUNCTION, PORT, Admission.EVERYBODY);
    eventually(() -> !table().contains("rate-" + PORT));
    assertThat(device.get(PORT)).matches("\\d+");
  }

  private String table() throws Exception {
    return Lab.output("nft", "list", "table", "ip", "weir-svc-" + lab.hash);
  }

  private static void eventually(Callable<Boolean> what) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!what.call()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      LockSupport.parkNanos(10_000_000);
    }
  }

  @Test
  void thePacketFilterLeadsNobodyToAnInstanceThatHasAsMuchToDoAsItMay() throws Exception {
    DataPlane plane = served(Settings.Way.NFT, Admission.EVERYBODY);
    Lab.House house = lab.house();
    Traffic.Member eight = house.member(FUNCTION.value());
    plane.traffic().join(new Traffic.Member(eight.container(), eight.function(), eight.address(), eight.residence(), 1,
        List.of(), false));
    house.listen();
    plane.traffic().open(house.container);
    eventually("\\d+");

    CompletableFuture<HttpResponse<String>> slow = HttpClient.newHttpClient().sendAsync(
        HttpRequest.newBuilder(URI.create(house.uri("/slow"))).build(), HttpResponse.BodyHandlers.ofString());
    eventually(() -> plane.traffic().loads().get(0).inFlight() == 1);
    eventually("curl 7");

    house.release();
    assertThat(slow.get(20, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    eventually(() -> plane.traffic().loads().get(0).inFlight() == 0);
    eventually("\\d+");
  }

  @ParameterizedTest
  @EnumSource(names = {"EBPF", "NFT"})
  void resetsConnectionsOfAnInstanceThatIsGone(Settings.Way way) throws Exception {
    DataPlane plane = served(way, Admission.EVERYBODY);
    Lab.House house = open(plane);
    eventually("\\d+");

    try (Lab.Client client = device.connect(PORT)) {
      assertThat(client.ask()).startsWith("HTTP/1.1 200");
      plane.traffic().leave(house.container);
      house.unplug();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      String answer = client.ask();
      while (!answer.contains("reset") && System.nanoTime() < deadline) {
        answer = client.ask();
      }
      assertThat(answer).contains("reset");
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"EBPF", "NFT"})
  void leadsIpv6ClientsOnceItIsKnownThatTheInstanceListensThere(Settings.Way way) throws Exception {
    DataPlane plane = served(way, Admission.EVERYBODY);
    lab.routes().reachableAt(List.of(InetAddress.getByName(device.gateway), InetAddress.getByName(device.gateway6)));
    Lab.House house = lab.house();
    plane.traffic().join(house.member6(FUNCTION.value()));
    plane.traffic().open(house.container);
    assertThat(device.get6(PORT)).isEqualTo("curl 7");

    house.listen();

    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    String answer = device.get6(PORT);
    while (!answer.matches("\\d+") && System.nanoTime() < deadline) {
      answer = device.get6(PORT);
    }
    assertThat(answer).matches("\\d+");
  }

  @Test
  void holdsConnectionsAndTellsWhoIsWanted() throws Exception {
    DataPlane plane = served(Settings.Way.EBPF, Admission.EVERYBODY);
    BlockingQueue<KernelSignal> signals = new LinkedBlockingQueue<>();
    try (ServerSocket listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        AutoCloseable subscription = plane.traffic().subscribe(signals::add)) {
      assertThat(lab.routes().holdAt(listener.getLocalPort())).isTrue();
      listener.setSoTimeout(10_000);
      try (Lab.Client client = device.connect(PORT); Socket held = listener.accept()) {
        assertThat(signals.poll(10, TimeUnit.SECONDS)).isInstanceOfSatisfying(KernelSignal.Wanted.class, wanted -> {
          assertThat(wanted.function()).isEqualTo(FUNCTION);
          assertThat(System.nanoTime() - wanted.atNanos()).isBetween(0L, TimeUnit.MINUTES.toNanos(1));
        });
        assertThat(held.getLocalAddress().getHostAddress()).isEqualTo(device.gateway);
        assertThat(held.getLocalPort()).isEqualTo(PORT);
        assertThat(held.getInetAddress().getHostAddress()).isEqualTo(device.address);

        open(plane);
        held.getOutputStream().write("HTTP/1.1 204 held\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(client.ask()).startsWith("HTTP/1.1 204 held");
      }
      eventually("\\d+");
    }
  }

  @Test
  void aConnectionBeforeItsInstanceCanBeReachedIsHeld() throws Exception {
    DataPlane plane = served(Settings.Way.EBPF, Admission.EVERYBODY);
    try (ServerSocket listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
      assertThat(lab.routes().holdAt(listener.getLocalPort())).isTrue();
      listener.setSoTimeout(10_000);
      Lab.House house = lab.house();
      plane.traffic().join(house.withoutPort(FUNCTION.value()));
      house.listen();
      plane.traffic().open(house.container);

      try (Lab.Client client = device.connect(PORT); Socket held = listener.accept()) {
        held.getOutputStream().write("HTTP/1.1 204 held\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(client.ask()).startsWith("HTTP/1.1 204 held");
        plane.traffic().join(house.member(FUNCTION.value()));
        held.getOutputStream().write("HTTP/1.1 204 still\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(client.ask()).as("what is held goes on").startsWith("HTTP/1.1 204 still");
      }
      Thread server = new Thread(() -> refuseAll(listener));
      server.start();
      eventually("\\d+");
      listener.close();
      server.join();
    }
  }

  /** Until it is closed. */
  private static void refuseAll(ServerSocket listener) {
    try {
      while (true) {
        listener.accept().close();
      }
    } catch (IOException e) {
      return;
    }
  }

  @Test
  void instancesThatAreGoneBeforeTheyCanBeReachedLeaveNothing() throws Exception {
    DataPlane plane = served(Settings.Way.EBPF, Admission.EVERYBODY);
    Lab.House house = lab.house();
    for (int i = 0; i < 20; i++) {
      plane.traffic().join(house.member(FUNCTION.value()));
      plane.traffic().open(house.container);
      plane.traffic().leave(house.container);
    }
    house.removePort();
    plane.traffic().join(house.member(FUNCTION.value()));
    plane.traffic().leave(house.container);
    plane.look(Optional.of(lab.cgroup));

    Lab.House next = open(plane);
    eventually("\\d+");
    plane.traffic().leave(next.container);
    lab.disengage();
    assertThat(Lab.output("bpftool", "net", "list", "dev", next.port)).doesNotContain("weir");
  }

  @Test
  void leadsCallersOnThisMachineToo() throws Exception {
    DataPlane plane = served(Settings.Way.EBPF, Admission.EVERYBODY);
    open(plane);

    for (String address : List.of("127.0.0.1", "localhost", device.gateway)) {
      try (Socket socket = new Socket(address, PORT)) {
        socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(socket.getInputStream().read()).isEqualTo('H');
      }
    }
    assertThat(plane.meter().functions().get(0).counts().requests()).isEqualTo(3);
  }

  @Test
  void connectionsSurviveAGatewayThatIsKilled() throws Exception {
    DataPlane killed = served(Settings.Way.EBPF, Admission.EVERYBODY);
    Lab.House house = open(killed);
    eventually("\\d+");
    try (Lab.Client client = device.connect(PORT)) {
      assertThat(client.ask()).startsWith("HTTP/1.1 200");

      lab.kill();
      assertThat(client.ask()).as("while nobody is there").startsWith("HTTP/1.1 200");
      assertThat(device.get(PORT)).matches("\\d+");

      DataPlane plane = lab.engage(Settings.Way.EBPF);
      assertThat(device.get(PORT)).as("before it is claimed").matches("\\d+");
      lab.routes().reachableAt(List.of(InetAddress.getByName(device.gateway)));
      lab.routes().declare(FUNCTION, PORT, Admission.EVERYBODY);
      assertThat(device.get(PORT)).as("declared, but its instance is not claimed").matches("\\d+");
      plane.traffic().join(house.member(FUNCTION.value()));
      plane.traffic().open(house.container);
      plane.forgetUnclaimed();
      assertThat(client.ask()).startsWith("HTTP/1.1 200");
      assertThat(device.get(PORT)).matches("\\d+");
    }
  }

  @Test
  void takesUpAnInterfaceThatComesBack() throws Exception {
    DataPlane plane = served(Settings.Way.EBPF, Admission.EVERYBODY);
    open(plane);
    eventually("1");

    device.unplug();
    plane.look(Optional.of(lab.cgroup));
    device.plug();
    plane.look(Optional.of(lab.cgroup));

    assertThat(device.get(PORT)).isEqualTo("2");
  }

  @Test
  void aFunctionThatIsWithdrawnHasNoPort() throws Exception {
    DataPlane plane = served(Settings.Way.EBPF, Admission.EVERYBODY);
    open(plane);
    eventually("1");

    lab.routes().declare(FUNCTION, PORT + 1, Admission.EVERYBODY);
    assertThat(device.get(PORT)).isEqualTo("curl 7");
    assertThat(device.get(PORT + 1)).isEqualTo("2");
    lab.routes().withdraw(FUNCTION);
    assertThat(device.get(PORT + 1)).isEqualTo("curl 7");
  }

  @Test
  void aGatewayThatGoesAnotherWayThanTheKilledOneRemovesWhatThatLeft() throws Exception {
    open(served(Settings.Way.NFT, Admission.EVERYBODY));
    eventually("\\d+");
    lab.kill();

    lab.engage(Settings.Way.EBPF);

    assertThat(Lab.output("nft", "list", "tables")).doesNotContain(lab.hash);
    assertThat(device.get(PORT)).isEqualTo("curl 7");
  }

  @Test
  void leavesNoTableBehind() throws Exception {
    DataPlane plane = served(Settings.Way.NFT, Admission.EVERYBODY);
    open(plane);
    eventually("\\d+");
    assertThat(Lab.output("nft", "list", "tables")).contains("ip weir-svc-" + lab.hash, "ip6 weir-svc-" + lab.hash);

    lab.disengage();

    assertThat(Lab.output("nft", "list", "tables")).doesNotContain(lab.hash);
  }
}

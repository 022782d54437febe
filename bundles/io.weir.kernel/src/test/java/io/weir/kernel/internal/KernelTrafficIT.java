package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.kernel.KernelReport.Feature;
import io.weir.kernel.KernelSignal;
import io.weir.kernel.Meter.Counts;
import io.weir.kernel.Meter.FunctionTraffic;
import io.weir.kernel.Traffic;
import io.weir.kernel.Traffic.Load;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On this machine's kernel, as root. */
class KernelTrafficIT {
  private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  @TempDir Path folder;
  private Lab lab;

  @BeforeEach
  void open() throws Exception {
    lab = new Lab(folder);
  }

  @AfterEach
  void close() throws Exception {
    lab.close();
  }

  private HttpResponse<String> get(Lab.House house, String path) throws Exception {
    return client.send(HttpRequest.newBuilder(URI.create(house.uri(path))).build(), HttpResponse.BodyHandlers.ofString());
  }

  private static Load load(DataPlane plane, Lab.House house) {
    return plane.traffic().loads().stream().filter(load -> load.container().equals(house.container)).findFirst().orElseThrow();
  }

  private static FunctionTraffic meter(DataPlane plane, String function) {
    return plane.meter().functions().stream().filter(traffic -> traffic.function().value().equals(function)).findFirst()
        .orElseThrow();
  }

  /** What a packet sets off is done in a moment, but not before the client has its answer. */
  private static void eventually(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("time").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  @Test
  void reportsWhatTheKernelDoes() throws Exception {
    lab.engage();

    assertThat(lab.features.features()).filteredOn(Feature::active).extracting(Feature::name)
        .contains("meter", "listen", "egress");
    assertThat(lab.features.features()).filteredOn(feature -> !feature.active())
        .allSatisfy(feature -> assertThat(feature.why()).isNotEmpty());
    assertThat(lab.features.kernel()).matches("\\d+\\.\\d+.*");
  }

  @Test
  void leavesNothingBehind() throws Exception {
    DataPlane plane = lab.engage();
    Lab.House house = lab.house();
    plane.traffic().join(house.member("left"));
    assertThat(lab.attached()).contains("weir_meter_in", "weir_listen");
    assertThat(lab.pins()).isNotEmptyDirectory();

    lab.disengage();

    assertThat(lab.attached()).doesNotContain("weir_");
    assertThat(lab.pins()).doesNotExist();
    assertThat(folder.resolve("kernel").resolve("functions")).doesNotExist();
  }

  @Test
  void countsEachRequestOfARealServerExactly() throws Exception {
    DataPlane plane = lab.engage();
    Lab.House house = lab.house();
    plane.traffic().join(house.member("counted"));
    house.listen();

    for (int i = 1; i <= 200; i++) {
      assertThat(get(house, i % 10 == 0 ? "/none" : "/").body()).isEqualTo("" + i);
    }

    eventually(() -> load(plane, house).inFlight() == 0);
    FunctionTraffic traffic = meter(plane, "counted");
    Counts counts = traffic.counts();
    assertThat(counts.requests()).isEqualTo(200);
    assertThat(counts.responses()).isEqualTo(List.of(0L, 0L, 180L, 0L, 20L, 0L));
    assertThat(counts.aborts()).isZero();
    assertThat(counts.connections()).isEqualTo(1);
    assertThat(traffic.latency().stream().mapToLong(Long::longValue).sum()).isEqualTo(200);
    assertThat(traffic.latencySumMicros()).isPositive();
    assertThat(load(plane, house).requests()).isEqualTo(200);
    assertThat(load(plane, house).idleNanos()).isLessThan(TimeUnit.MINUTES.toNanos(1));
    assertThat(plane.meter().instances()).singleElement()
        .satisfies(instance -> assertThat(instance.container()).isEqualTo(house.container));
  }

  @Test
  void totalsOutliveInstances() throws Exception {
    DataPlane plane = lab.engage();
    Lab.House first = lab.house();
    plane.traffic().join(first.member("total"));
    first.listen();
    get(first, "/");
    CompletableFuture<?> slow = client.sendAsync(HttpRequest.newBuilder(URI.create(first.uri("/slow"))).build(),
        HttpResponse.BodyHandlers.ofString());
    eventually(() -> load(plane, first).inFlight() == 1);

    plane.traffic().leave(first.container);

    assertThat(plane.traffic().loads()).isEmpty();
    assertThat(meter(plane, "total").counts()).satisfies(counts -> {
      assertThat(counts.requests()).isEqualTo(2);
      assertThat(counts.aborts()).as("nobody answers it any more").isEqualTo(1);
      assertThat(counts.inFlight()).isZero();
    });
    first.end();
    assertThat(slow).failsWithin(10, TimeUnit.SECONDS);

    Lab.House second = lab.house();
    plane.traffic().join(second.member("total"));
    second.listen();
    get(second, "/");
    assertThat(load(plane, second).requests()).isEqualTo(1);
    assertThat(meter(plane, "total").counts().requests()).isEqualTo(3);
  }

  @Test
  void aFunctionThatGetsTheNumberOfOneThatIsGoneBeginsAtZero() throws Exception {
    DataPlane plane = lab.engage();
    Lab.House house = lab.house();
    house.listen();
    plane.traffic().join(house.member("gone"));
    get(house, "/");
    eventually(() -> load(plane, house).inFlight() == 0);
    plane.traffic().leave(house.container);
    for (int i = 1; i < Layout.SERVICES; i++) {
      plane.traffic().join(house.member("f" + i));
      plane.traffic().leave(house.container);
    }
    assertThat(meter(plane, "gone").counts().requests()).isEqualTo(1);

    plane.traffic().join(house.member("new"));

    assertThat(plane.meter().functions()).noneMatch(traffic -> traffic.function().value().equals("gone"));
    assertThat(meter(plane, "new").latency()).allMatch(count -> count == 0);
    try (Socket socket = new Socket(house.address, 8080)) {
      socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertThat(socket.getInputStream().read()).isEqualTo('H');
    }
    eventually(() -> meter(plane, "new").counts().requests() == 1);
  }

  @Test
  void takesUpWhatAGatewayLeftThatWasKilled() throws Exception {
    DataPlane killed = lab.engage();
    Lab.House house = lab.house();
    Lab.House other = lab.house();
    killed.traffic().join(other.member("other"));
    killed.traffic().join(house.member("kept"));
    house.listen();
    get(house, "/");
    lab.kill();
    get(house, "/");

    DataPlane plane = lab.engage();

    assertThat(plane.traffic().loads()).as("nobody claimed them yet").isEmpty();
    get(house, "/");
    plane.traffic().join(house.member("kept"));
    eventually(() -> load(plane, house).inFlight() == 0);
    assertThat(load(plane, house).requests()).isEqualTo(3);
    assertThat(meter(plane, "kept").counts().requests()).isEqualTo(3);
    plane.forgetUnclaimed();
    plane.traffic().join(other.member("other"));
    assertThat(load(plane, other).requests()).isZero();
  }

  @Test
  void letsGoOfContainersThatDiedWhileTheGatewayWasAway() throws Exception {
    DataPlane killed = lab.engage();
    Lab.House house = lab.house();
    killed.traffic().join(house.member("dead"));
    lab.kill();
    house.end();
    Files.delete(house.group);

    DataPlane plane = lab.engage();

    plane.traffic().join(lab.house().member("dead"));
    assertThat(meter(plane, "dead").counts().requests()).isZero();
    Files.createDirectory(house.group);
  }

  @Test
  void tellsOnceThatAPacketCameForAnInstanceAtRest() throws Exception {
    DataPlane plane = lab.engage();
    Traffic traffic = plane.traffic();
    BlockingQueue<KernelSignal> signals = new LinkedBlockingQueue<>();
    Lab.House house = lab.house();
    traffic.join(house.member("resting"));
    house.listen();
    try (AutoCloseable subscription = traffic.subscribe(signals::add)) {
      get(house, "/");
      eventually(() -> load(plane, house).inFlight() == 0);
      assertThat(traffic.rest(house.container)).isTrue();
      assertThat(signals).isEmpty();

      get(house, "/");
      assertTouched(house, signals.poll(10, TimeUnit.SECONDS));
      get(house, "/");
      traffic.wake(house.container);
      get(house, "/");
      assertThat(signals.poll(100, TimeUnit.MILLISECONDS)).isNull();
    }
  }

  private static void assertTouched(Lab.House house, KernelSignal signal) {
    assertThat(signal).isInstanceOfSatisfying(KernelSignal.Touched.class, touched -> {
      assertThat(touched.container()).isEqualTo(house.container);
      assertThat(System.nanoTime() - touched.atNanos()).isBetween(0L, TimeUnit.MINUTES.toNanos(1));
    });
  }

  /** However soon after the last one. */
  @Test
  void tellsOfEveryRestThatEnds() throws Exception {
    DataPlane plane = lab.engage();
    Traffic traffic = plane.traffic();
    BlockingQueue<KernelSignal> signals = new LinkedBlockingQueue<>();
    Lab.House house = lab.house();
    traffic.join(house.member("nervous"));
    house.listen();
    try (AutoCloseable subscription = traffic.subscribe(signals::add); Socket socket = new Socket(house.address, 8080)) {
      socket.setSoTimeout(10_000);
      byte[] answer = new byte[1024];
      for (int i = 1; i <= 200; i++) {
        eventually(() -> traffic.rest(house.container));
        socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(socket.getInputStream().read(answer)).isPositive();
        assertTouched(house, signals.poll(10, TimeUnit.SECONDS));
        traffic.wake(house.container);
        assertThat(signals).isEmpty();
      }
    }
  }

  @Test
  void nothingThatWorksIsPutToRest() throws Exception {
    DataPlane plane = lab.engage();
    Lab.House house = lab.house();
    plane.traffic().join(house.member("busy"));
    house.listen();
    CompletableFuture<HttpResponse<String>> slow = client.sendAsync(
        HttpRequest.newBuilder(URI.create(house.uri("/slow"))).build(), HttpResponse.BodyHandlers.ofString());
    eventually(() -> load(plane, house).inFlight() == 1);

    assertThat(plane.traffic().rest(house.container)).isFalse();

    house.release();
    assertThat(slow.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    eventually(() -> load(plane, house).inFlight() == 0);
    assertThat(plane.traffic().rest(house.container)).isTrue();
    assertThat(plane.traffic().rest("ff".repeat(32))).as("who never joined").isFalse();
  }

  @Test
  void tellsWhenAProcessListens() throws Exception {
    DataPlane plane = lab.engage();
    Lab.House house = lab.house();
    CompletableFuture<Boolean> listening = plane.traffic().listening(house.residence(), 8080).toCompletableFuture();
    CompletableFuture<Boolean> elsewhere = plane.traffic().listening(house.residence(), 9090).toCompletableFuture();
    assertThat(listening).isNotDone();

    house.listen();

    assertThat(listening.get(10, TimeUnit.SECONDS)).as("the kernel does not say whether it takes IPv4 as well").isFalse();
    assertThat(plane.traffic().listening(house.residence(), 8080).toCompletableFuture()).as("asked late").isCompleted();
    assertThat(elsewhere).isNotDone();
    elsewhere.cancel(false);
  }

  @Test
  void tellsWhetherAProcessListensAtEveryAddress() throws Exception {
    DataPlane plane = lab.engage();
    Lab.House open = lab.house();
    Lab.House shy = lab.house();

    open.listen("0.0.0.0");
    shy.listen("127.0.0.1");

    assertThat(plane.traffic().listening(open.residence(), 8080).toCompletableFuture().get(10, TimeUnit.SECONDS)).isTrue();
    assertThat(plane.traffic().listening(shy.residence(), 8080).toCompletableFuture().get(10, TimeUnit.SECONDS)).isFalse();
  }

  @Test
  void functionsReachTheGatewayAndWhatIsDeclaredAndNothingElse() throws Exception {
    DataPlane plane = lab.engage();
    Lab.House house = lab.house();
    plane.traffic().join(house.member("strict", "10.9.9.9:443"));
    String net = house.address.substring(0, house.address.length() - 1);
    assertThat(connect(house, net + "1", 1)).contains("refused");
    assertThat(connect(house, net + "3", 1)).contains("not permitted");
    assertThat(connect(house, "10.9.9.9", 444)).contains("not permitted");
    assertThat(connect(house, "127.0.0.1", 1)).contains("refused");
    assertThat(plane.notes()).containsEntry("denied-egress", 2L);

    plane.traffic().join(house.member("strict", net + "3:1"));
    assertThat(connect(house, net + "3", 1)).doesNotContain("not permitted");
  }

  private static String connect(Lab.House house, String address, int port) throws Exception {
    return Lab.output("sh", "-c", "echo $$ > \"$0\"/cgroup.procs && exec ip netns exec \"$1\" python3 -c \"$2\" \"$3\" \"$4\"",
        house.group.toString(), house.name, "import socket, sys\ns = socket.socket()\ns.settimeout(0.3)\ntry:\n"
            + "  s.connect((sys.argv[1], int(sys.argv[2])))\nexcept OSError as e:\n  print(e)", address, "" + port);
  }

  @Test
  void aSlotChangesHandsWithANewGeneration() throws Exception {
    DataPlane plane = lab.engage();
    Lab.House house = lab.house();
    plane.traffic().join(house.member("first"));
    house.listen();
    try (Socket socket = new Socket(house.address, 8080)) {
      plane.traffic().drain(house.container);
      plane.traffic().leave(house.container);
      plane.traffic().leave(house.container);
      plane.traffic().join(house.member("first"));
      socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertThat(socket.getInputStream().read()).isEqualTo('H');
    }
    assertThat(plane.traffic().loads()).singleElement()
        .satisfies(load -> assertThat(load.container()).isEqualTo(house.container));
    assertThat(meter(plane, "first").function()).isEqualTo(new FunctionName("first"));
  }
}

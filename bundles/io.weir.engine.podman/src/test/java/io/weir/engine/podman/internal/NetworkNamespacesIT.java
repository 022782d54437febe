package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against the real kernel, with namespaces and a bridge that are named after this process. */
class NetworkNamespacesIT {
  private static final int READY = 2;
  private static final int HASH = 0x7e570000 ^ (int) ProcessHandle.current().pid();
  private static final String BRIDGE = Bridge.name(HASH);
  /** Stands for another machine; see RFC 5737. */
  private static final String OUTSIDE = "weirtest-" + ProcessHandle.current().pid();

  @TempDir
  Path folder;
  private final List<Process> processes = new ArrayList<>();
  private final List<NetworkNamespaces> gateways = new ArrayList<>();
  private NetworkNamespaces namespaces;

  @BeforeEach
  void open() {
    namespaces = gateway(Optional.empty());
    namespaces.settle();
  }

  @AfterEach
  void leaveNothing() throws Exception {
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
    namespaces.existing().forEach(namespaces::discard);
    gateways.forEach(NetworkNamespaces::close);
    assertThat(namespaces.existing()).isEmpty();
    assertThat(interfaces())
        .noneMatch(name -> name.startsWith(BRIDGE) || name.startsWith(String.format("w%08x-", HASH)));
    assertThat(PodmanFixture.exec("nft", "list", "tables")).doesNotContain(BRIDGE);
  }

  private static Settings settings(Optional<Subnet> subnet) {
    return settings(subnet, "");
  }

  private static Settings settings(Optional<Subnet> subnet, String subnet6) {
    Settings defaults = PodmanFixture.settings(Optional.empty());
    return new Settings(defaults.socket(), defaults.podman(), defaults.runtime(), defaults.network(), subnet, subnet6,
        defaults.callTimeout(), defaults.startTimeout(), defaults.imageTimeout(), defaults.serviceWait(), READY);
  }

  private NetworkNamespaces gateway(Optional<Subnet> subnet) {
    NetworkNamespaces made = NetworkNamespaces.possible(HASH, settings(subnet)).orElseThrow();
    gateways.add(made);
    made.open(() -> {});
    return made;
  }

  private static Set<String> interfaces() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/sys/class/net"))) {
      return all.map(path -> path.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  @Test
  void keepsSomeReadyAndFillsUpWhatWasTaken() {
    Set<String> before = namespaces.existing();
    assertThat(before).hasSize(READY);

    Set<String> taken = Set.of(namespaces.take().name(), namespaces.take().name());

    assertThat(taken).isEqualTo(before);
    namespaces.settle();
    assertThat(namespaces.existing()).hasSize(2 * READY).containsAll(taken);
  }

  @Test
  void makesOneAtOnceWhenNoneIsReady() throws Exception {
    Set<String> addresses = new HashSet<>();
    for (int i = 0; i < 4 * READY; i++) {
      ReadyNetwork network = namespaces.take();
      assertThat(network.path()).exists();
      addresses.add(network.address());
    }

    assertThat(addresses).hasSize(4 * READY);
  }

  @Test
  void whatWasGivenBackIsTakenAgainAndWhatWasDiscardedIsNot() {
    ReadyNetwork unused = namespaces.take();
    namespaces.giveBack(unused);
    ReadyNetwork other = namespaces.take();
    namespaces.discard(other.name());
    namespaces.settle();

    assertThat(namespaces.existing()).hasSize(READY).contains(unused.name()).doesNotContain(other.name());
    Set<String> addresses = new HashSet<>();
    for (int i = 0; i < 4 * READY; i++) {
      addresses.add(namespaces.take().address());
    }
    assertThat(addresses).as("the address used last comes last").contains(unused.address())
        .doesNotContain(other.address());
  }

  @Test
  void aFunctionIsReachedByTheGatewayAndReachesItButNoOtherFunction() throws Exception {
    ReadyNetwork one = namespaces.take();
    ReadyNetwork other = namespaces.take();
    listenIn(one.name());
    listenIn(other.name());

    assertThat(connects(one.address())).isTrue();
    assertThat(connects(other.address())).isTrue();
    assertThat(connectsFrom(one.name(), one.address(), 8080)).as("to itself").isTrue();
    assertThat(connectsFrom(one.name(), other.address(), 8080)).as("to another function").isFalse();
    // Where bridged traffic is filtered, too, that alone would keep them apart.
    PodmanFixture.exec("nft", "delete", "table", "ip", BRIDGE);
    assertThat(connectsFrom(one.name(), other.address(), 8080)).as("to another, without packet filter").isFalse();
    assertThat(connectsFrom(other.name(), one.address(), 8080)).as("and back").isFalse();
    try (ServerSocket gateway = new ServerSocket(0, 1, InetAddress.getByName(gateway(one)))) {
      assertThat(connectsFrom(one.name(), gateway(one), gateway.getLocalPort())).as("to the gateway").isTrue();
    }
  }

  @Test
  void aFunctionReachesOtherMachinesAndNoneReachesIt() throws Exception {
    ReadyNetwork function = namespaces.take();
    String uplink = "wt" + ProcessHandle.current().pid();
    PodmanFixture.exec("ip", "netns", "add", OUTSIDE);
    try {
      PodmanFixture.exec("ip", "link", "add", uplink, "type", "veth", "peer", "name", "eth0", "netns", OUTSIDE);
      PodmanFixture.exec("ip", "addr", "add", "198.51.100.1/30", "dev", uplink);
      PodmanFixture.exec("ip", "link", "set", uplink, "up");
      PodmanFixture.exec("ip", "-n", OUTSIDE, "addr", "add", "198.51.100.2/30", "dev", "eth0");
      PodmanFixture.exec("ip", "-n", OUTSIDE, "link", "set", "eth0", "up");
      listenIn(OUTSIDE);
      listenIn(function.name());

      // The other machine knows no way back to the function, so it must see the gateway's address.
      assertThat(connectsFrom(function.name(), "198.51.100.2", 8080)).isTrue();
      PodmanFixture.exec("ip", "-n", OUTSIDE, "route", "add", "default", "via", "198.51.100.1");
      assertThat(connectsFrom(OUTSIDE, function.address(), 8080)).isFalse();

      PodmanFixture.exec("nft", "delete", "table", "ip", BRIDGE);
      namespaces.mend();
      assertThat(connectsFrom(function.name(), "198.51.100.2", 8080)).as("after the filter was flushed").isTrue();
      assertThat(connectsFrom(OUTSIDE, function.address(), 8080)).isFalse();
    } finally {
      PodmanFixture.exec("ip", "netns", "del", OUTSIDE);
      PodmanFixture.exec("ip", "link", "del", uplink);
    }
  }

  @Test
  void functionsLiveOnWhenTheBridgeIsMadeAgain() throws Exception {
    ReadyNetwork running = namespaces.take();
    listenIn(running.name());
    PodmanFixture.exec("ip", "link", "del", BRIDGE);

    ReadyNetwork next = namespaces.take();
    listenIn(next.name());

    assertThat(connects(next.address())).isTrue();
    assertThat(connects(running.address())).isTrue();
    assertThat(connectsFrom(next.name(), running.address(), 8080)).isFalse();
  }

  @Test
  void givesOutNothingThatSomebodyRemoved() throws Exception {
    for (String name : namespaces.existing()) {
      PodmanFixture.exec("ip", "netns", "del", name);
    }

    ReadyNetwork taken = namespaces.take();

    listenIn(taken.name());
    assertThat(connects(taken.address())).isTrue();
  }

  @Test
  void theNextGatewayKeepsTheSubnetAndKnowsWhatItDidNotMake() throws Exception {
    ReadyNetwork lived = namespaces.take();
    namespaces.settle();
    Set<String> left = namespaces.existing();
    listenIn(lived.name());

    NetworkNamespaces next = gateway(Optional.of(Subnet.parse("10.99.0.0/24")));
    next.settle();

    assertThat(next.inherited()).isEqualTo(left);
    assertThat(gateway(next.take())).isEqualTo(gateway(lived));
    assertThat(connects(lived.address())).isTrue();
  }

  @Test
  void theNextGatewayRemovesWhatNoContainerLivesIn() {
    ReadyNetwork lived = namespaces.take();
    ReadyNetwork died = namespaces.take();
    namespaces.settle();
    Set<String> idle = namespaces.existing();
    idle.removeAll(Set.of(lived.name(), died.name()));
    Map<String, String> labels = Map.of(Containers.NETNS_LABEL, lived.name(),
        Containers.ADDRESS_LABEL, lived.address());

    NetworkNamespaces next = gateway(Optional.empty());
    new Places(next).open(() -> List.of(new ContainerStatus("1a", "n", "i", ContainerStatus.State.RUNNING,
        Optional.empty(), labels, 1, 0, false, Instant.EPOCH)));
    next.settle();

    assertThat(next.existing()).hasSize(1 + READY).contains(lived.name()).doesNotContain(died.name())
        .doesNotContainAnyElementsOf(idle);
  }

  @Test
  void aCleanEndLeavesTheNetworkOfContainersThatLiveOn() throws Exception {
    ReadyNetwork lives = namespaces.take();
    listenIn(lives.name());

    namespaces.close();

    assertThat(namespaces.existing()).containsExactly(lives.name());
    assertThat(connects(lives.address())).isTrue();
    assertThatExceptionOfType(EngineException.class).isThrownBy(namespaces::take)
        .satisfies(e -> assertThat(e.code()).isEqualTo(Code.UNAVAILABLE));
  }

  @Test
  void takesTheConfiguredSubnetOnceNobodyLivesInTheOld() {
    namespaces.close();

    NetworkNamespaces next = gateway(Optional.of(Subnet.parse("10.99.0.0/24")));

    assertThat(next.take().address()).startsWith("10.99.0.");
  }

  @Test
  void refusesASubnetThatSomebodyElseUses() {
    Settings settings = settings(Optional.of(Subnet.parse(namespaces.take().address() + "/28")));
    NetworkNamespaces other = NetworkNamespaces.possible(HASH + 1, settings).orElseThrow();

    assertThatExceptionOfType(EngineException.class).isThrownBy(() -> other.open(() -> {}))
        .withMessageContaining(settings.subnet().orElseThrow() + " overlaps").withMessageContaining("key subnet");
    other.close();
  }

  @Test
  void saysWhenNoAddressIsFree() {
    namespaces.close();
    NetworkNamespaces tiny = gateway(Optional.of(Subnet.parse("10.99.0.0/28")));

    assertThatExceptionOfType(EngineException.class).isThrownBy(() -> {
      for (int functions = 14; functions > 0; functions--) {   // the gateway has one of the 14 addresses
        tiny.take();
      }
    }).withMessageContaining("10.99.0.0/28").withMessageContaining("key subnet");
  }

  @Test
  void touchesNothingThatIsNotItsOwn() throws Exception {
    PodmanFixture.exec("ip", "netns", "add", OUTSIDE);
    try {
      namespaces.discard(OUTSIDE);
      namespaces.discard(BRIDGE + "-2x");
      namespaces.settle();

      assertThat(namespaces.inherited()).isEmpty();
      assertThat(ReadyNetwork.FOLDER.resolve(OUTSIDE)).exists();
    } finally {
      PodmanFixture.exec("ip", "netns", "del", OUTSIDE);
    }
  }

  @Test
  void aFunctionIsReachedByIpv6AtOnceAndByNoOtherFunction() throws Exception {
    ReadyNetwork one = namespaces.take();
    ReadyNetwork other = namespaces.take();
    listenIn(one.name());
    listenIn(other.name());
    String mine = one.address6().orElseThrow();
    String its = other.address6().orElseThrow();

    assertThat(connects(mine)).isTrue();
    assertThat(connectsFrom(one.name(), mine, 8080)).as("to itself").isTrue();
    assertThat(connectsFrom(one.name(), its, 8080)).as("to another function").isFalse();
    PodmanFixture.exec("nft", "delete", "table", "ip6", BRIDGE);
    assertThat(connectsFrom(one.name(), its, 8080)).as("to another, without packet filter").isFalse();
    String bridge = mine.replaceFirst("[0-9a-f]+$", "1");
    try (ServerSocket gateway = new ServerSocket(0, 1, InetAddress.getByName(bridge))) {
      assertThat(connectsFrom(one.name(), bridge, gateway.getLocalPort())).as("to the gateway").isTrue();
    }
    assertThat(PodmanFixture.exec("ip", "-n", one.name(), "-6", "-o", "addr", "show", "dev", "eth0").strip().lines())
        .as("no second address").hasSize(1);
  }

  @Test
  void byIpv6AFunctionReachesOtherMachinesAndNoneReachesIt() throws Exception {
    ReadyNetwork function = namespaces.take();
    String uplink = "wt" + ProcessHandle.current().pid();
    PodmanFixture.exec("ip", "netns", "add", OUTSIDE);
    try {
      PodmanFixture.exec("ip", "link", "add", uplink, "type", "veth", "peer", "name", "eth0", "netns", OUTSIDE);
      PodmanFixture.exec("ip", "addr", "add", "2001:db8:77::1/64", "dev", uplink, "nodad");
      PodmanFixture.exec("ip", "link", "set", uplink, "up");
      PodmanFixture.exec("ip", "-n", OUTSIDE, "addr", "add", "2001:db8:77::2/64", "dev", "eth0", "nodad");
      PodmanFixture.exec("ip", "-n", OUTSIDE, "link", "set", "eth0", "up");
      HostIpv6.forward();   // as on a machine with a route out
      listenIn(OUTSIDE);
      listenIn(function.name());

      assertThat(connectsFrom(function.name(), "2001:db8:77::2", 8080)).isTrue();
      PodmanFixture.exec("ip", "-n", OUTSIDE, "route", "add", "default", "via", "2001:db8:77::1");
      assertThat(connectsFrom(OUTSIDE, function.address6().orElseThrow(), 8080)).isFalse();
    } finally {
      PodmanFixture.exec("ip", "netns", "del", OUTSIDE);
      PodmanFixture.exec("ip", "link", "del", uplink);
    }
  }

  @Test
  void hasNoIpv6ButLoopbackIfTheOperatorWantsNone() throws Exception {
    namespaces.close();
    NetworkNamespaces without = NetworkNamespaces.possible(HASH, settings(Optional.empty(), "none")).orElseThrow();
    gateways.add(without);
    without.open(() -> {});

    ReadyNetwork taken = without.take();

    assertThat(taken.address6()).isEmpty();
    assertThat(PodmanFixture.exec("ip", "-n", taken.name(), "-6", "addr", "show", "dev", "eth0")).isBlank();
    assertThat(PodmanFixture.exec("ip", "-6", "addr", "show", "dev", BRIDGE)).isBlank();
    assertThat(PodmanFixture.exec("nft", "list", "tables")).doesNotContain("ip6 " + BRIDGE);
  }

  @Test
  void tellsTheProgramsWords() {
    Program ip = Program.find("ip").orElseThrow();

    assertThatExceptionOfType(EngineException.class)
        .isThrownBy(() -> ip.run("removing nothing", List.of("link del nothing-here"), "-batch", "-"))
        .withMessageContaining("removing nothing failed: ip said: Cannot find device");
  }

  private static String gateway(ReadyNetwork network) {
    return network.address().replaceFirst("\\d+$", "1");
  }

  private void listenIn(String namespace) throws Exception {
    Process process = new ProcessBuilder("ip", "netns", "exec", namespace, PodmanFixture.compile(folder).toString())
        .redirectErrorStream(true).start();
    processes.add(process);
    BufferedReader said = process.inputReader(StandardCharsets.UTF_8);
    assertThat(said.readLine()).isEqualTo("listening");
  }

  private static boolean connects(String address) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address, 8080), 5_000);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean connectsFrom(String namespace, String address, int port) throws Exception {
    return new ProcessBuilder("ip", "netns", "exec", namespace, "timeout", "2", "bash", "-c",
        "exec 3<>/dev/tcp/" + address + "/" + port).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
  }
}

package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.weir.engine.ContainerStatus.State;
import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Gateways that come and go over the same real Podman. */
class PodmanServiceIT {
  private PodmanFixture podman;

  @BeforeEach
  void startPodman() throws Exception {
    podman = new PodmanFixture();
  }

  @AfterEach
  void stopPodman() throws Exception {
    podman.close();
    assertThat(PodmanFixture.mountsBelow(podman.work)).isEmpty();
    assertThat(PodmanFixture.mountsBelow(podman.run)).isEmpty();
    assertThat(podman.ownCgroups()).isEmpty();
  }

  @Test
  void containersOutliveTheGatewayAndAreFoundByTheNext() throws Exception {
    String id = podman.started("adopted");
    InetSocketAddress address = podman.address(id);
    long service = podman.engine.servicePid();

    podman.engine.close();

    assertThat(ProcessHandle.of(service)).isEmpty();
    assertThat(podman.get(address, "/")).isEqualTo("hello\n");
    podman.events.published.clear();
    podman.engine = podman.newEngine(Optional.empty());
    assertThat(podman.engine.list(PodmanFixture.LABELS)).singleElement()
        .satisfies(found -> assertThat(found.state()).isEqualTo(State.RUNNING));
    assertThat(podman.address(id)).isEqualTo(address);
    assertThat(podman.engine.imageId(PodmanFixture.IMAGE)).isPresent();
  }

  @Test
  void whatOneGatewayFrozeTheNextFindsFrozenAndThaws() throws Exception {
    String thawed = podman.started("thawed");
    String removed = podman.started("removed");
    podman.engine.freeze(thawed);
    podman.engine.freeze(removed);
    podman.engine.close();
    podman.events.published.clear();
    podman.engine = podman.newEngine(Optional.empty());

    podman.engine.remove(removed);
    assertThat(podman.engine.inspect(thawed).state()).isEqualTo(State.PAUSED);
    podman.engine.thaw(thawed);

    assertThat(podman.engine.inspect(thawed).state()).isEqualTo(State.RUNNING);
    assertThat(podman.get(thawed, "/")).isEqualTo("hello\n");
    assertThat(podman.engine.list(PodmanFixture.LABELS)).hasSize(1);
  }

  @Test
  void theNextGatewayRemovesTheNetworkOfAContainerThatTheLastOneMade() throws Exception {
    String id = podman.started("inherited");
    String namespace = podman.engine.inspect(id).labels().get(Containers.NETNS_LABEL);
    podman.engine.close();
    assertThat(podman.namespaces()).containsExactly(namespace);
    podman.events.published.clear();
    podman.engine = podman.newEngine(Optional.empty());

    podman.engine.remove(id);
    podman.engine.close();

    assertThat(podman.namespaces()).isEmpty();
    podman.engine = podman.newEngine(Optional.empty());
  }

  @Test
  void whatAKilledGatewayLeftIsRemovedUnlessAContainerLivesInIt() throws Exception {
    String id = podman.started("survivor");
    String lived = podman.engine.inspect(id).labels().get(Containers.NETNS_LABEL);
    podman.engine.close();
    String left = podman.bridge() + "-77";
    PodmanFixture.exec("ip", "netns", "add", left);
    podman.events.published.clear();
    podman.engine = podman.newEngine(Optional.empty());

    podman.engine.sweep();
    podman.engine.close();

    assertThat(podman.namespaces()).containsExactly(lived);
    podman.events.published.clear();
    podman.engine = podman.newEngine(Optional.empty());
    assertThat(podman.get(id, "/")).isEqualTo("hello\n");
  }

  @Test
  void aSweepRemovesTheNetworkOfAContainerThatSomebodyElseRemoved() throws Exception {
    String gone = podman.started("gone");
    String stays = podman.started("stays");
    try (Libpod libpod = new Libpod(podman.socket())) {
      libpod.delete("remove", "containers", gone).query("force", "true").query("timeout", "0").run();
    }

    podman.engine.sweep();
    podman.engine.close();

    assertThat(podman.namespaces()).hasSize(1);
    podman.events.published.clear();
    podman.engine = podman.newEngine(Optional.empty());
    assertThat(podman.get(stays, "/")).isEqualTo("hello\n");
  }

  @Test
  void endsTheServiceOfAKilledGateway() throws Exception {
    podman.engine.close();
    Path run = podman.run.resolve("engine");
    ProcessBuilder stale = new ProcessBuilder("podman", "system", "service", "--time", "0", "unix://" + podman.socket())
        .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    stale.environment().put("CONTAINERS_CONF", run.resolve("containers.conf").toString());
    stale.environment().put("CONTAINERS_STORAGE_CONF", run.resolve("storage.conf").toString());
    Files.deleteIfExists(podman.socket());
    Process left = stale.start();
    Files.writeString(run.resolve("podman.pid"), Long.toString(left.pid()));

    podman.events.published.clear();
    podman.engine = podman.newEngine(Optional.empty());
    podman.awaitReady();

    assertThat(left.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(podman.engine.servicePid()).isPositive().isNotEqualTo(left.pid());
  }

  @Test
  void leavesAStrangerWithTheRememberedPidAlone() throws Exception {
    podman.engine.close();
    Process stranger = new ProcessBuilder("sleep", "60").start();
    try {
      Files.writeString(podman.run.resolve("engine").resolve("podman.pid"), Long.toString(stranger.pid()));

      podman.events.published.clear();
      podman.engine = podman.newEngine(Optional.empty());
      podman.awaitReady();

      assertThat(stranger.isAlive()).isTrue();
    } finally {
      stranger.destroyForcibly().waitFor();
    }
  }

  @Test
  void tellsInPodmansWordsWhyItDoesNotServe() throws Exception {
    podman.engine.close();
    podman.events.published.clear();
    Settings settings = PodmanFixture.settings(Optional.empty());
    PodmanEngine misconfigured = new PodmanEngine(podman.run, podman.work.resolve("data"), new Settings(
        settings.socket(), settings.podman(), "norun", settings.network(), settings.subnet(), "", settings.callTimeout(),
        settings.startTimeout(), settings.imageTimeout(), settings.serviceWait(), 0), podman.events);
    try {
      podman.awaitState("norun");

      assertThatExceptionOfType(EngineException.class).isThrownBy(misconfigured::info)
          .satisfies(e -> assertThat(e.code()).isEqualTo(Code.UNAVAILABLE)).withMessageContaining("norun");
    } finally {
      misconfigured.close();
      podman.engine = podman.newEngine(Optional.empty());
    }
  }

  @Test
  void nobodyElseReachesTheSocket() throws Exception {
    assertThat(Files.getPosixFilePermissions(podman.socket().getParent()))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void worksOverASocketThatIsThere() throws Exception {
    PodmanEngine embedded = podman.engine;
    PodmanEngine guest = podman.newEngine(Optional.of(podman.socket()));
    try {
      podman.engine = guest;
      String id = podman.started("guest");

      assertThat(guest.info().embedded()).isFalse();
      assertThat(guest.servicePid()).isZero();
      assertThat(podman.get(id, "/")).isEqualTo("hello\n");
      guest.remove(id);
    } finally {
      guest.close();
      podman.engine = embedded;
    }
    assertThat(embedded.info().embedded()).isTrue();
  }
}

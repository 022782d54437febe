package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.weir.engine.EngineException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The service that writes images, beside the one that runs containers. */
class ImageServiceIT {
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
  }

  @Test
  void startsForImageWorkAndEndsWithTheGateway() throws Exception {
    ProcessHandle writer = ProcessHandle.of(podman.engine.imageServicePid()).orElseThrow();
    assertThat(writer.pid()).isNotEqualTo(podman.engine.servicePid());
    String id = podman.started("reader");

    podman.engine.remove(id);
    podman.engine.close();

    assertThat(writer.isAlive()).isFalse();
    podman.events.published.clear();
    podman.engine = podman.newEngine(Optional.empty());
    podman.awaitReady();
    assertThat(podman.engine.imageId(PodmanFixture.IMAGE)).isPresent();
    assertThat(podman.engine.imageServicePid()).as("nothing to write yet").isZero();
  }

  @Test
  void endsWhenThereIsNoMoreToDoAndComesBack() throws Exception {
    podman.engine.close();
    Path run = podman.run.resolve("engine");
    ServiceProcess.Home home = new ServiceProcess.Home(run.resolve("images"), run.resolve("images.sock"));
    try (ImageService images = new ImageService(home, PodmanFixture.settings(Optional.empty()),
        program -> new ServiceConf(HostFacts.detect(program), "", run, podman.work.resolve("data"), true).alone(),
        Duration.ofMillis(1))) {
      for (int times = 0; times < 2; times++) {
        ProcessHandle service = images.use("looking", libpod -> {
          assertThat(libpod.get("looking", "images", PodmanFixture.IMAGE, "exists").found()).isTrue();
          return ProcessHandle.of(images.pid()).orElseThrow();
        });
        service.onExit().get(20, TimeUnit.SECONDS);
      }
    }
    podman.engine = podman.newEngine(Optional.empty());
  }

  @Test
  void theOneOfAKilledGatewayIsEndedBeforeItsImagesAreRead() throws Exception {
    podman.engine.close();
    Path images = podman.run.resolve("engine").resolve("images");
    ProcessBuilder stale = new ProcessBuilder("podman", "system", "service", "--time", "0",
        "unix://" + images.resolveSibling("images.sock"))
        .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    stale.environment().put("CONTAINERS_CONF", images.resolve("containers.conf").toString());
    stale.environment().put("CONTAINERS_STORAGE_CONF", images.resolve("storage.conf").toString());
    Process left = stale.start();
    Files.writeString(images.resolve("podman.pid"), Long.toString(left.pid()));

    podman.events.published.clear();
    podman.engine = podman.newEngine(Optional.empty());
    podman.awaitReady();

    assertThat(left.waitFor(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void livesThroughTheDeathOfTheServiceThatRunsContainers() throws Exception {
    ProcessHandle main = ProcessHandle.of(podman.engine.servicePid()).orElseThrow();
    long writer = podman.engine.imageServicePid();

    main.destroyForcibly();
    main.onExit().get(10, TimeUnit.SECONDS);

    podman.engine.info();
    assertThat(podman.engine.servicePid()).isNotEqualTo(main.pid());
    assertThat(podman.engine.imageServicePid()).isEqualTo(writer);
  }

  @Test
  void comesBackAfterItsDeath() throws Exception {
    ProcessHandle writer = ProcessHandle.of(podman.engine.imageServicePid()).orElseThrow();
    writer.destroyForcibly();
    writer.onExit().get(10, TimeUnit.SECONDS);

    while (podman.engine.imageId("localhost/weir/again:1").isEmpty()) {
      try {
        podman.engine.importImage("localhost/weir/again:1", List.of("ENTRYPOINT [\"/probe\"]"),
            podman.tar(Map.of("probe", podman.compiled())));
      } catch (EngineException e) {
        assertThat(e.code()).isEqualTo(EngineException.Code.UNAVAILABLE);
      }
    }
  }

  @Test
  void refusesWorkOnceItIsClosed() throws Exception {
    ImageService images = new ImageService(new ServiceProcess.Home(podman.work, podman.work.resolve("s")),
        PodmanFixture.settings(Optional.empty()), program -> {
          throw new java.io.IOException("not asked");
        });
    images.close();

    assertThatExceptionOfType(EngineException.class).isThrownBy(() -> images.use("importing", libpod -> ""))
        .withMessageContaining("the gateway is stopping");
  }
}

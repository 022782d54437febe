package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A Podman service that was there before the gateway, with containers of somebody else on it. */
class ExternalEngineIT {
  private static PodmanService podman;
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    podman = new PodmanService(Path.of(System.getProperty("weir.work"), "xengine-podman"),
        Path.of("/run/weir-it-xp-" + ProcessHandle.current().pid()));
    gateway = Gateway.start("xengine", Map.of("io.weir.engine.podman/socket", podman.socket().toString()));
    gateway.importProbe();
  }

  @AfterAll
  static void stop() throws Exception {
    try {
      if (gateway != null) {
        gateway.close();
      }
    } finally {
      podman.close();
    }
  }

  @Test
  void functionsRunThereAndAStrangersContainerIsNotTouched() throws Exception {
    podman.podman("run", "-d", "--name", "stranger", "--network", "none", "--label", "app=theirs", "localhost/probe:1");
    String before = stranger();
    assertThat(before).startsWith("true ");
    gateway.deploy("""
        functions:
          guest:
            image: localhost/probe:1
            idle: 10m
        """);
    assertThat(gateway.post("/function/guest/", "one").body()).isEqualTo("one");
    assertThat(gateway.json("/api/v1/status").get("engine").toString())
        .contains("socket=" + podman.socket(), "embedded=false");
    assertThat(gateway.processes()).noneMatch(line -> line.contains("system service"));
    Object instance = gateway.instancesOf("guest").get(0).get("name");

    gateway.killAndRestart();

    HttpResponse<String> second = gateway.post("/function/guest/", "two");
    assertThat(second.body()).as(second.statusCode() + " " + second.headers().map()).isEqualTo("two");
    assertThat(gateway.instancesOf("guest")).singleElement().satisfies(i -> assertThat(i.get("name")).isEqualTo(instance));
    assertThat(stranger()).isEqualTo(before);

    gateway.stop();

    assertThat(podman.podman("ps", "--all", "--format", "{{.Names}}").strip()).isEqualTo("stranger");
    assertThat(stranger()).isEqualTo(before);
  }

  /** Whether it runs, since when, and as which process. */
  private static String stranger() throws Exception {
    return podman.podman("inspect", "--format", "{{.State.Running}} {{.State.StartedAt}} {{.State.Pid}}", "stranger").strip();
  }
}

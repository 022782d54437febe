package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStatus;
import io.weir.engine.ContainerStatus.State;
import io.weir.function.Limits;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContainersTest {
  private static final ContainerSpec SPEC = new ContainerSpec("weir-a-0", "localhost/a:1", 9000,
      Map.of("weir.managed", "true"), Map.of("A", "b"), new Limits(64L << 20, 0.25, 32));

  @Test
  void sendsSwapWithTheMemoryLimitAndNoRlimits() {
    Map<String, Object> body = Json.object(Json.write(Containers.create(SPEC, Optional.of("weir"), false)));

    assertThat(Json.object(body, "resource_limits")).isEqualTo(Map.of(
        "memory", Map.of("limit", 64 << 20, "swap", 64 << 20), "cpu", Map.of("quota", 25_000, "period", 100_000),
        "pids", Map.of("limit", 32)));
    assertThat(body).doesNotContainKeys("r_limits", "oom_score_adj", "portmappings")
        .containsEntry("user", "1000:1000").containsEntry("cap_drop", List.of("all"))
        .containsEntry("read_only_filesystem", true).containsEntry("no_new_privileges", true)
        .containsEntry("labels", Map.of("weir.managed", "true", "weir.port", "9000"));
  }

  @Test
  void publishesThePortWhereThereIsNoNetworkToReach() {
    Map<String, Object> body = Containers.create(SPEC, Optional.empty(), true);

    assertThat(body).doesNotContainKeys("netns", "Networks").containsEntry("oom_score_adj", 500);
    assertThat(body.get("portmappings")).isEqualTo(List.of(Map.of("container_port", 9000, "host_port", 0,
        "host_ip", "127.0.0.1", "protocol", "tcp")));
  }

  @Test
  void anAddressOfTheGatewaysMakingIsKnownFromTheLabels() {
    Map<String, Object> body = Json.object(Json.write(Containers.create(SPEC,
        new ReadyNetwork("weir-1a2b3c4d-7", "10.213.64.7", Optional.of("fd57::7")), false)));

    assertThat(body.get("netns")).isEqualTo(Map.of("nsmode", "path", "value", "/run/netns/weir-1a2b3c4d-7"));
    assertThat(body).doesNotContainKeys("Networks", "portmappings");
    String labels = Json.write(Json.object(body, "labels"));
    assertThat(Containers.inspected(Json.object("{\"State\":{\"Status\":\"running\"},\"Config\":{\"Labels\":" + labels
        + "}}"), false).address()).contains(new InetSocketAddress("10.213.64.7", 9000));
    assertThat(Containers.inspected(Json.object("{\"State\":{\"Status\":\"exited\"},\"Config\":{\"Labels\":" + labels
        + "}}"), false).address()).isEmpty();
  }

  @Test
  void readsARunningContainer() {
    ContainerStatus status = Containers.inspected(Json.object("""
        {"Id":"1a","Created":"2026-11-21T23:18:06.65745241+01:00","Name":"weir-a-0","ImageName":"localhost/a:1",
         "State":{"Status":"running","Pid":42,"ExitCode":0,"OOMKilled":false},
         "Config":{"Labels":{"weir.port":"9000"}},
         "NetworkSettings":{"Ports":{},"Networks":{"weir":{"IPAddress":"10.213.64.2"}}}}"""), false);

    assertThat(status).isEqualTo(new ContainerStatus("1a", "weir-a-0", "localhost/a:1", State.RUNNING,
        Optional.of(new InetSocketAddress("10.213.64.2", 9000)), Map.of("weir.port", "9000"), 42, 0, false,
        Instant.parse("2026-11-21T22:18:06.65745241Z")));
  }

  @Test
  void readsAPublishedPort() {
    ContainerStatus status = Containers.inspected(Json.object("""
        {"State":{"Status":"paused"},"Config":{"Labels":{"weir.port":"9000"}},
         "NetworkSettings":{"Ports":{"9000/tcp":[{"HostIp":"127.0.0.1","HostPort":"38211"}]},
         "Networks":{"pasta":{"IPAddress":""}}}}"""), false);

    assertThat(status.address()).contains(new InetSocketAddress("127.0.0.1", 38_211));
  }

  @Test
  void anOutOfMemoryKillIsPodmansWordOrTheKernels() {
    assertThat(exited(137, true, false).oomKilled()).isTrue();
    assertThat(exited(137, false, true).oomKilled()).isTrue();
    assertThat(exited(137, false, false).oomKilled()).isFalse();
    assertThat(exited(0, false, true).oomKilled()).as("a child was killed, the function ended well").isFalse();
  }

  private static ContainerStatus exited(int code, boolean podmans, boolean kernels) {
    return Containers.inspected(Json.object("{\"Id\":\"1a\",\"State\":{\"Status\":\"exited\",\"ExitCode\":" + code
        + ",\"OOMKilled\":" + podmans + "}}"), kernels);
  }

  @Test
  void readsWhateverPodmanLeavesOut() {
    ContainerStatus status = Containers.inspected(Json.object("""
        {"State":{"Status":"removing","Pid":null},"Config":{"Labels":null},"NetworkSettings":null}"""), false);

    assertThat(status.state()).isEqualTo(State.OTHER);
    assertThat(status.labels()).isEmpty();
    assertThat(status.created()).isEqualTo(Instant.EPOCH);
    assertThat(Containers.listed(Map.of()).name()).isEmpty();
  }

  @Test
  void readsAListing() {
    ContainerStatus status = Containers.listed(Json.objects("""
        [{"Id":"1a","Names":["weir-a-0"],"Image":"localhost/a:1","State":"exited","Pid":0,"Labels":{"k":"v"},
          "Created":"2026-11-21T23:18:06Z","ExitCode":137}]""").get(0));

    assertThat(status.name()).isEqualTo("weir-a-0");
    assertThat(status.state()).isEqualTo(State.EXITED);
    assertThat(status.labels()).containsEntry("k", "v");
  }
}

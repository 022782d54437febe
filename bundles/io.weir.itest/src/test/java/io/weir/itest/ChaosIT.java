package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.jr.ob.JSON;

/**
 * Instances, conmons, the Podman services and the gateway are killed at random under load: no answer is wrong, no request
 * outlives its time, no message is lost, and nothing is left. {@code weir.chaos.seconds} says for how long,
 * {@code weir.chaos.seed} repeats the same choices.
 */
class ChaosIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final int PATIENCE_SECONDS = 5;
  private static final int TIMEOUT_SECONDS = 5;
  /** Waiting for an instance, then for its answer, and what a busy machine adds. */
  private static final Duration BOUND = Duration.ofSeconds(PATIENCE_SECONDS + TIMEOUT_SECONDS + 5);
  /** Each kill costs the requests that are in work there; all else is served, if late. */
  private static final double LEAST_ANSWERED = 0.9;
  private static final String PYTHON = "def handle(event):\n    return 'python ' + event.text\n";

  private final long seconds = Long.getLong("weir.chaos.seconds", 60);
  private final long seed = Long.getLong("weir.chaos.seed", System.nanoTime() & 0xffffff);

  private static final ChaosLoad.Target SINGLE = new ChaosLoad.Target("single", 40, "");
  private static final ChaosLoad.Target SHARED = new ChaosLoad.Target("shared", 40, "");
  private static final ChaosLoad.Target ICY = new ChaosLoad.Target("icy", 800, "");
  private static final ChaosLoad.Target ARMED = new ChaosLoad.Target("armed", 2_500, "");
  private static final ChaosLoad.Target HANDLER = new ChaosLoad.Target("handler", 300, "python ");
  private static final List<ChaosLoad.Target> ALL = List.of(SINGLE, SHARED, ICY, ARMED, HANDLER);

  @Test
  void whateverIsKilledNoAnswerIsWrongNothingIsLostAndNothingIsLeft() throws Exception {
    String summary = "chaos for " + seconds + " s with seed " + seed;
    System.out.println(summary);
    try (Gateway gateway = Gateway.start("chaos", Map.of(
        "io.weir.pool/start.timeout.seconds", "10",
        "io.weir.pool/freeze.after.millis", "300",
        "io.weir.invoker/patience.seconds", Integer.toString(PATIENCE_SECONDS)))) {
      deploy(gateway);
      Downtimes downtimes = new Downtimes();
      ChaosAgent agent = new ChaosAgent(gateway, downtimes,
          Stream.concat(ALL.stream().map(ChaosLoad.Target::function), Stream.of("sensor")).toList(), seed);
      try (ChaosLoad load = new ChaosLoad(gateway, downtimes, seed)) {
        load.request(SINGLE);
        load.request(SINGLE, SHARED);
        load.request(SHARED);
        load.request(SHARED, HANDLER);
        load.request(ICY, HANDLER);
        load.request(ARMED);
        load.publish(100);

        agent.rageUntil(System.nanoTime() + Duration.ofSeconds(seconds).toNanos());
        load.stopAsking();

        summary += ": " + agent + "; " + load;
        System.out.println(summary);
        assertThat(load.wrong()).as(summary).isEmpty();
        assertThat(load.longest()).as(summary).isLessThan(BOUND);
        assertThat(load.count("up: answered")).as(summary).isGreaterThan((long) (LEAST_ANSWERED * load.count("up: ")));
        for (ChaosLoad.Target target : ALL) {
          await(target.function() + " answers again; " + summary).atMost(SOON).until(() -> answers(gateway, target));
        }
        String so = summary;
        await("every message is answered; " + so).atMost(SOON.multipliedBy(2)).until(() -> load.unanswered().isEmpty());
        assertThat(load.buried()).as(summary).isEmpty();
        assertThat(load.wrong()).as(summary).isEmpty();
        assertThat(Files.readString(gateway.log())).as(summary).doesNotContain("unexpected failure");
      }
    }
  }

  private static boolean answers(Gateway gateway, ChaosLoad.Target target) {
    HttpResponse<String> response = gateway.post("/function/" + target.function() + "/", "calm");
    return response.statusCode() == 200 && response.body().equals(target.prefix() + "calm");
  }

  private static void deploy(Gateway gateway) throws Exception {
    gateway.importProbe();
    Gateway.Result runtime = gateway.weir("image", "runtime", "python");
    assertThat(runtime.exitCode()).as(runtime.err()).isZero();
    String yaml = "functions:\n"
        + probe("single", "concurrency: 1", "instances: {min: 0, max: 2}")
        + probe("shared", "concurrency: 8", "instances: {min: 1, max: 2}")
        + probe("icy", "rest: frozen", "idle: 1h")
        + probe("armed", "rest: armed", "idle: 1s")
        + probe("sensor", "triggers: [{mqtt: " + ChaosLoad.ASKED + "+, qos: 1}]", "output: " + ChaosLoad.ANSWERED + "{1}")
        + "  handler: {runtime: python, handler: handler.py, timeout: " + TIMEOUT_SECONDS + "s}\n";
    HttpResponse<String> response = gateway.post("/api/v1/functions",
        JSON.std.asString(Map.of("yaml", yaml, "files", Map.of("handler.py", PYTHON))), "Content-Type", "application/json");
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    for (ChaosLoad.Target target : ALL) {
      await().atMost(SOON).until(() -> answers(gateway, target));
    }
  }

  private static String probe(String name, String... more) {
    return "  " + name + ":\n    image: localhost/probe:1\n    memory: 32MiB\n    timeout: " + TIMEOUT_SECONDS + "s\n    env: {NAME: "
        + name + "}\n" + Stream.of(more).map(line -> "    " + line + "\n").reduce("", String::concat);
  }
}

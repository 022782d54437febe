package io.weir.gateway.http.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.engine.Breakdown;
import io.weir.engine.EngineException;
import io.weir.engine.LeaseRefused;
import io.weir.event.Events.Measure;
import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidDeclaration;
import io.weir.function.Network;
import io.weir.kernel.ServiceAddresses;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.jr.ob.JSON;

@Timeout(60)
class ApiTest {
  private static final FunctionName THERMO = new FunctionName("thermo");
  private TestServer server;

  @BeforeEach
  void start() throws Exception {
    server = new TestServer();
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  @Test
  void showsTheStatus() throws Exception {
    server.fakes.parts.add(Fakes.part("mqtt", true));
    server.fakes.parts.add(Fakes.part("broker", false));

    Map<String, Object> status = TestServer.json(server.get("/api/v1/status"));

    assertThat(status).containsEntry("version", "0.1.0").containsEntry("gateway", "shed")
        .containsEntry("ready", false).containsEntry("functions", 2).containsEntry("instances", 1)
        .containsEntry("parts", List.of(Map.of("name", "broker", "ready", false, "state", "so-so"),
            Map.of("name", "mqtt", "ready", true, "state", "so-so")))
        .containsEntry("broker", Map.of("uri", "tcp://127.0.0.1:1883", "bundled", true, "state", "running"))
        .containsEntry("engine", Map.of("version", "5.4.2", "runtime", "crun 1.21", "socket", "/run/weir/podman.sock",
            "embedded", true, "rootless", false, "cgroups", "v2"))
        .containsEntry("memory", Map.of("totalBytes", 512 << 20, "heldBytes", 18 << 20, "pressed", true))
        .containsEntry("runners", List.of(Map.of("name", "weir-runner-1", "language", "python", "memoryBytes", 9 << 20)))
        .containsEntry("counters", Map.of("invocations.no-content", 7))
        .containsEntry("problems", List.of(Map.of("source", "bad.yaml", "line", 3, "message", "no good", "since",
            "2026-11-21T12:00:00Z")));
    assertThat(status.toString()).doesNotContain("secret");
  }

  @Test
  void saysNullForPartsThatAreMissing() throws Exception {
    server.fakes.without = true;

    assertThat(TestServer.json(server.get("/api/v1/status"))).containsEntry("engine", null)
        .containsEntry("broker", null).containsEntry("instances", 0).containsEntry("memory", null)
        .containsEntry("runners", List.of());
    assertThat(server.get("/api/v1/calibration").body()).isEqualTo("{\"calibrations\":[]}");
    problem(rung("thermo", "frozen"), 503, "engine-unavailable");
    problem(server.post("/api/v1/functions/thermo/calibration", ""), 503, "engine-unavailable");
    assertThat(server.get("/api/v1/forecasts").body()).isEqualTo("{\"forecasts\":[]}");
    problem(server.get("/api/v1/functions/thermo/forecast"), 503, "engine-unavailable");
    assertThat(server.get("/api/v1/metrics").body()).doesNotContain("weir_memory", "weir_prewarm", "weir_function_", "weir_kernel_");
    assertThat(server.get("/api/v1/kernel").body()).isEqualTo("{\"kernel\":\"\",\"features\":[],\"notes\":{}}");
    assertThat(server.get("/api/v1/traffic").body()).isEqualTo("{\"functions\":[],\"instances\":[]}");
    assertThat(server.get("/api/v1/instances").body()).isEqualTo("{\"instances\":[]}");
    problem(server.get("/api/v1/images?reference=a"), 503, "engine-unavailable");
    problem(server.get("/api/v1/functions/thermo/logs"), 503, "engine-unavailable");
  }

  @Test
  void doesNotAskAnEngineThatIsDown() throws Exception {
    server.fakes.parts.add(Fakes.part("engine", false));

    assertThat(TestServer.json(server.get("/api/v1/status"))).containsEntry("engine", null);
  }

  @Test
  void isHealthyWhenThePartThatKnowsAllPartsSaysSo() throws Exception {
    assertThat(server.get("/healthz").statusCode()).isEqualTo(503);
    server.fakes.parts.add(Fakes.part("http", true));
    assertThat(server.get("/healthz").statusCode()).as("nobody knows yet what is missing").isEqualTo(503);
    server.fakes.parts.add(Fakes.part("gateway", true));
    assertThat(server.get("/healthz").statusCode()).isEqualTo(200);
  }

  @Test
  void believesThePartThatKnowsWhichPartsAreMissing() throws Exception {
    server.fakes.parts.add(Fakes.part("http", true));
    server.fakes.parts.add(Fakes.part("gateway", false));

    assertThat(server.get("/healthz").statusCode()).isEqualTo(503);
    assertThat(TestServer.json(server.get("/api/v1/status"))).containsEntry("ready", false)
        .containsEntry("parts", List.of(Map.of("name", "http", "ready", true, "state", "so-so")));
  }

  @Test
  void showsAFunctionAsItIsWritten() throws Exception {
    Map<String, Object> thermo = TestServer.json(server.get("/api/v1/functions/thermo"));

    assertThat(thermo).isEqualTo(JSON.std.mapFrom("""
        {"name": "thermo", "image": "localhost/thermo:1", "runtime": null, "handler": null, "port": 8080,
         "triggers": [{"mqtt": "sensors/+/t", "qos": 1, "path": "/", "delivery": "at-least-once", "order": "topic",
           "retry": {"attempts": 6, "deadline": "24h"}, "priority": "normal"}, {"http": "/thermo"}],
         "output": "alerts/{1}", "memory": "64MiB", "memoryBytes": 67108864, "cpus": 0.5, "pids": 64,
         "instances": {"min": 0, "max": 2}, "concurrency": 8, "idle": "30s", "rest": "auto",
         "priority": "normal", "timeout": "10s", "env": {"THRESHOLD": "3.5"}, "revision": "%s", "origin": "api",
         "running": 1, "broken": null, "service": null, "egress": []}
        """.formatted(Fakes.thermo().revision())));
    assertThat(server.get("/api/v1/functions").body()).contains("\"echo\"", "\"thermo\"");
    problem(server.get("/api/v1/functions/nobody"), 404, "unknown-function");
    problem(server.get("/api/v1/functions/NO"), 404, "unknown-function");
  }

  @Test
  void showsWhereAFunctionIsReachedDirectly() throws Exception {
    FunctionSpec base = Fakes.thermo();
    server.fakes.registry.add(new FunctionSpec(base.name(), base.source(), base.port(), base.triggers(), base.output(),
        base.limits(), base.scaling(), base.timeout(), base.environment(), new Network(OptionalInt.of(9001),
            List.of("192.168.1.0/24"), 50, 100, List.of("any"))));
    Optional<String> problem = Optional.of("port 9001 is in use");
    server.fakes.serviceAddresses = Optional.of(new ServiceAddresses() {
      @Override
      public Optional<ServiceAddress> of(FunctionName function) {
        return function.equals(THERMO) ? Optional.of(new ServiceAddress(function, 9001, List.of(
            new InetSocketAddress("127.0.0.1", 9001), new InetSocketAddress("::1", 9001)), problem)) : Optional.empty();
      }

      @Override
      public String way() {
        return "proxy";
      }
    });

    Map<String, Object> thermo = TestServer.json(server.get("/api/v1/functions/thermo"));

    assertThat(thermo.get("service")).isEqualTo(JSON.std.mapFrom("""
        {"port": 9001, "addresses": ["127.0.0.1:9001", "[0:0:0:0:0:0:0:1]:9001"], "from": ["192.168.1.0/24"],
         "rate": 50, "burst": 100, "way": "proxy", "problem": "port 9001 is in use"}"""));
    assertThat(thermo).containsEntry("egress", List.of("any"));
    assertThat(TestServer.json(server.get("/api/v1/functions/echo"))).containsEntry("service", null);
  }

  @Test
  void showsAHandlerWithoutItsCode() throws Exception {
    server.fakes.registry.add(Fakes.handler("handler"));
    server.fakes.ladder.breakdown = Optional.of(new Breakdown(3, "exit code 1: boom", Fakes.NOON,
        Fakes.NOON.plusSeconds(8)));

    assertThat(TestServer.json(server.get("/api/v1/functions/handler"))).containsEntry("image", null)
        .containsEntry("runtime", "python").containsEntry("handler", "thermo.py").containsEntry("rest", "frozen")
        .containsEntry("priority", "high").containsEntry("broken", Map.of("failures", 3, "detail", "exit code 1: boom",
            "since", "2026-11-21T12:00:00Z", "retryAt", "2026-11-21T12:00:08Z"));
    assertThat(server.get("/api/v1/functions").body()).doesNotContain("pass #");
    HttpResponse<String> code = server.get("/api/v1/functions/handler/code");
    assertThat(code.body()).isEqualTo("pass # ä\n");
    assertThat(code.headers().firstValue("Content-Type")).contains("text/plain;charset=utf-8");
    problem(server.get("/api/v1/functions/thermo/code"), 404, "no-code");
    problem(server.get("/api/v1/functions/nobody/code"), 404, "unknown-function");
  }

  @Test
  void declaresFunctionsWithTheirFiles() throws Exception {
    String large = "#".repeat(1 << 20);
    HttpResponse<String> response = json("POST", "/api/v1/functions?source=w.yaml", Map.of("yaml", "functions: {}",
        "files", Map.of("a.py", "pass\n", "b.py", large)));

    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(server.fakes.registry.declared).isEqualTo("w.yaml|functions: {}");
    assertThat(server.fakes.registry.files).isEqualTo(Map.of("a.py", "pass\n", "b.py", large));
    assertThat(json("POST", "/api/v1/functions", Map.of("yaml", "functions: {}")).statusCode()).isEqualTo(200);
    assertThat(server.fakes.registry.files).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "functions: {}", "[]", "{}", "{\"yaml\": 1}", "{\"yaml\": \"x\", \"files\": []}",
      "{\"yaml\": \"x\", \"files\": {\"a.py\": 1}}", "{\"yaml\": \"x\", \"files\": {\"a.py\": null}}"})
  void saysWhatADeclarationInJsonMustBe(String body) throws Exception {
    problem(server.send(server.request("/api/v1/functions").header("Content-Type", "application/json; charset=utf-8")
        .POST(BodyPublishers.ofString(body))), 400, "bad-json");
    assertThat(server.fakes.registry.declared).isEmpty();
  }

  private HttpResponse<String> json(String method, String path, Object body) throws Exception {
    return server.send(server.request(path).header("Content-Type", "application/json")
        .method(method, BodyPublishers.ofString(JSON.std.asString(body))));
  }

  private HttpResponse<String> rung(String function, String rung) throws Exception {
    return json("PUT", "/api/v1/functions/" + function + "/rung", Map.of("rung", rung));
  }

  @Test
  void bringsAFunctionToARung() throws Exception {
    assertThat(rung("thermo", "armed").statusCode()).isEqualTo(204);
    assertThat(server.fakes.ladder.calls).containsExactly("thermo to armed");

    problem(rung("nobody", "armed"), 404, "unknown-function");
    HttpResponse<String> bad = rung("thermo", "warm");
    problem(bad, 400, "bad-parameter");
    assertThat(TestServer.json(bad)).containsEntry("parameter", "rung")
        .containsEntry("detail", "rung: 'warm' is not allowed; use image, created, armed, frozen or running");
    problem(json("PUT", "/api/v1/functions/thermo/rung", Map.of()), 400, "bad-parameter");
    problem(json("PUT", "/api/v1/functions/thermo/rung", List.of()), 400, "bad-json");
    assertThat(server.fakes.ladder.calls).hasSize(1);
  }

  @Test
  void answersOnceTheFunctionIsThere() throws Exception {
    CompletableFuture<Void> there = new CompletableFuture<>();
    server.fakes.ladder.rested = there;
    CompletableFuture<HttpResponse<String>> answer = CompletableFuture.supplyAsync(() -> {
      try {
        return rung("thermo", "frozen");
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    });
    while (server.fakes.ladder.calls.isEmpty()) {
      Thread.onSpinWait();
    }

    assertThat(answer).isNotDone();
    there.complete(null);
    assertThat(answer.get(20, TimeUnit.SECONDS).statusCode()).isEqualTo(204);
  }

  @Test
  void saysWhyAFunctionCannotBeBroughtToARung() throws Exception {
    server.fakes.ladder.failure = new IllegalArgumentException("a runner cannot rest there");
    problem(rung("thermo", "armed"), 400, "cannot-rest");
    server.fakes.ladder.failure = refused(LeaseRefused.Code.START_FAILED);
    HttpResponse<String> failed = rung("thermo", "armed");
    problem(failed, 409, "start-failed");
    assertThat(TestServer.json(failed)).containsEntry("detail", "boom");
    problem(server.post("/api/v1/functions/thermo/calibration", ""), 409, "start-failed");
    server.fakes.ladder.failure = refused(LeaseRefused.Code.OUT_OF_MEMORY);
    problem(rung("thermo", "running"), 409, "out-of-memory");
    server.fakes.ladder.failure = refused(LeaseRefused.Code.UNKNOWN_FUNCTION);
    problem(rung("thermo", "running"), 404, "unknown-function");
    server.fakes.ladder.failure = refused(LeaseRefused.Code.ENGINE_UNAVAILABLE);
    HttpResponse<String> later = rung("thermo", "armed");
    problem(later, 503, "engine-unavailable");
    assertThat(later.headers().firstValue("Retry-After")).contains("3");
  }

  private static LeaseRefused refused(LeaseRefused.Code code) {
    return new LeaseRefused(code, "boom", Duration.ofSeconds(3), null);
  }

  @Test
  void refusesOneWaiterTooMany() throws Exception {
    CompletableFuture<Void> there = new CompletableFuture<>();
    server.fakes.ladder.rested = there;
    List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      waiting.add(CompletableFuture.supplyAsync(() -> {
        try {
          return rung("thermo", "frozen");
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }, server.fakes.invokerThreads));
    }
    while (server.fakes.ladder.calls.size() < 8) {
      Thread.onSpinWait();
    }

    problem(rung("thermo", "frozen"), 503, "busy");
    assertThat(server.fakes.ladder.calls).hasSize(8);
    there.complete(null);
    for (CompletableFuture<HttpResponse<String>> each : waiting) {
      assertThat(each.get(20, TimeUnit.SECONDS).statusCode()).isEqualTo(204);
    }
  }

  @Test
  void showsWhatTheRungsCost() throws Exception {
    Map<String, Object> thermo = JSON.std.mapFrom("""
        {"function": "thermo", "source": "localhost/thermo:1", "at": "2026-11-21T12:00:00Z", "figures": [
          {"rung": "frozen", "resumeMs": 1.25, "parkMs": 2.0, "memoryBytes": 18874368, "samples": 5},
          {"rung": "image", "resumeMs": 90.0, "parkMs": 0.0, "memoryBytes": 0, "samples": 3}]}
        """);

    assertThat(TestServer.json(server.get("/api/v1/calibration"))).isEqualTo(Map.of("calibrations", List.of(thermo)));
    assertThat(TestServer.json(server.post("/api/v1/functions/thermo/calibration", ""))).isEqualTo(thermo);
    assertThat(server.fakes.ladder.calls).containsExactly("calibrate thermo");
    problem(server.post("/api/v1/functions/nobody/calibration", ""), 404, "unknown-function");
  }

  @Test
  void showsWhatIsExpectedAndWhatCameOfIt() throws Exception {
    Map<String, Object> thermo = JSON.std.mapFrom("""
        {"function": "thermo", "used": true, "unused": null, "rests": "frozen", "driver": "timers", "arrivals": 12,
         "next": {"from": "2026-11-21T11:59:58Z", "to": "2026-11-21T12:00:02Z", "probability": 0.9},
         "prewarms": {"made": 5, "hits": 2, "late": 1, "wrong": 1, "refused": 3},
         "followers": [{"function": "echo", "afterSeconds": 2.3, "deviationSeconds": 0.4, "probability": 0.8}],
         "candidates": [{"name": "timers",
           "today": {"hits": 11, "misses": 1, "wrong": 2, "memoryMibSeconds": 320.5, "delaySeconds": 0.25},
           "yesterday": {"hits": 0, "misses": 0, "wrong": 0, "memoryMibSeconds": 0.0, "delaySeconds": 0.0}}]}
        """);

    assertThat(TestServer.json(server.get("/api/v1/functions/thermo/forecast"))).isEqualTo(thermo);
    thermo.keySet().removeAll(List.of("followers", "candidates"));
    List<?> all = (List<?>) TestServer.json(server.get("/api/v1/forecasts")).get("forecasts");
    assertThat(all.size()).isEqualTo(2);
    assertThat(all.contains(thermo)).isTrue();
    assertThat(server.get("/api/v1/metrics").body()).contains("weir_prewarms_total{function=\"thermo\"} 5\n",
        "weir_prewarm_hits_total{function=\"thermo\"} 2\n", "weir_prewarms_late_total{function=\"thermo\"} 1\n",
        "weir_prewarms_wrong_total{function=\"thermo\"} 1\n", "weir_prewarms_refused_total{function=\"thermo\"} 3\n",
        "weir_prewarms_total{function=\"echo\"} 0\n");
    problem(server.get("/api/v1/functions/nobody/forecast"), 404, "unknown-function");
  }

  @Test
  void saysWhyAForecastIsNotActedOn() throws Exception {
    server.fakes.foresight.unused = Optional.of("it declares rest: created");
    server.fakes.foresight.called = false;

    assertThat(TestServer.json(server.get("/api/v1/functions/thermo/forecast"))).containsEntry("used", false)
        .containsEntry("unused", "it declares rest: created").containsEntry("driver", null).containsEntry("next", null)
        .containsEntry("arrivals", 0).containsEntry("candidates", List.of());
  }

  @Test
  void declaresFunctions() throws Exception {
    HttpResponse<String> response = server.post("/api/v1/functions?source=my%20file.yaml", "functions: {}");

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(server.fakes.registry.declared).isEqualTo("my file.yaml|functions: {}");
    assertThat(response.body()).contains("\"thermo\"");
  }

  @Test
  void saysWhatIsWrongWithADeclarationAndWhere() throws Exception {
    server.fakes.registry.refusal = new InvalidDeclaration(
        new io.weir.function.Problem("w.yaml", 7, "port: '0' is not allowed; use 1..65535", Fakes.NOON), null);

    HttpResponse<String> response = server.post("/api/v1/functions", "functions: {}");

    problem(response, 400, "invalid-declaration");
    assertThat(TestServer.json(response)).containsEntry("source", "w.yaml").containsEntry("line", 7)
        .containsEntry("detail", "w.yaml:7: port: '0' is not allowed; use 1..65535");
    problem(server.send(server.request("/api/v1/functions/thermo").DELETE()), 409, "declared-elsewhere");
  }

  @Test
  void limitsADeclarationHoweverItArrives() throws Exception {
    byte[] large = new byte[(1 << 20) + 1];

    problem(server.send(server.request("/api/v1/functions").POST(BodyPublishers.ofByteArray(large))), 413, "too-large");
    problem(server.send(server.request("/api/v1/functions").POST(BodyPublishers.ofInputStream(() ->
        new ByteArrayInputStream(large)))), 413, "too-large");
    problem(server.send(server.request("/api/v1/functions").POST(BodyPublishers.ofByteArray(
        new byte[] {(byte) 0xff}))), 400, "not-utf-8");
  }

  @Test
  void removesAFunction() throws Exception {
    assertThat(server.send(server.request("/api/v1/functions/thermo").DELETE()).statusCode()).isEqualTo(204);
    problem(server.send(server.request("/api/v1/functions/thermo").DELETE()), 404, "unknown-function");
  }

  @Test
  void showsLogsAndInstances() throws Exception {
    assertThat(server.get("/api/v1/functions/thermo/logs?lines=5").body()).isEqualTo("hello\n5 lines\n");
    assertThat(server.get("/api/v1/functions/thermo/logs").body()).isEqualTo("hello\n100 lines\n");
    problem(server.get("/api/v1/functions/thermo/logs?lines=0"), 400, "bad-parameter");
    problem(server.get("/api/v1/functions/thermo/logs?lines=many"), 400, "bad-parameter");
    assertThat(server.get("/api/v1/instances").body()).isEqualTo("{\"instances\":[{\"id\":\"0123\",\"name\":"
        + "\"weir-thermo-1\",\"function\":\"thermo\",\"revision\":\"abc\",\"state\":\"ready\",\"address\":"
        + "\"127.0.0.1:40000\",\"inFlight\":2,\"served\":17,\"memoryBytes\":18874368,"
        + "\"since\":\"2026-11-21T12:00:00Z\"}]}");
  }

  @Test
  void listsInvocationsNewestFirst() throws Exception {
    server.fakes.events.publish(ended("1", "echo"));
    server.fakes.events.publish(ended("2", "thermo"));
    server.fakes.events.publish(ended("3", "thermo"));

    assertThat(ids(server.get("/api/v1/invocations"))).containsExactly("3", "2", "1");
    assertThat(ids(server.get("/api/v1/invocations?function=thermo&limit=1"))).containsExactly("3");
    assertThat(server.get("/api/v1/invocations?limit=1").body()).contains("\"tookMs\":1.5,\"coldStartMs\":0.0,"
        + "\"coldCause\":\"\",\"coldFrom\":\"\"");
    server.fakes.events.publish(new GatewayEvent.Ended(Fakes.NOON, "4", THERMO, "http", "/", "replied", 200, "",
        Duration.ofMillis(9), Duration.ofMillis(8), "scaled-to-zero", "armed", 1));
    assertThat(server.get("/api/v1/invocations?limit=1").body()).contains("\"coldStartMs\":8.0,\"coldCause\":"
        + "\"scaled-to-zero\",\"coldFrom\":\"armed\"");
  }

  private static List<Object> ids(HttpResponse<String> response) throws Exception {
    List<Object> ids = new ArrayList<>();
    ((List<?>) TestServer.json(response).get("invocations")).forEach(each -> ids.add(((Map<?, ?>) each).get("id")));
    return ids;
  }

  private static GatewayEvent ended(String id, String function) {
    return new GatewayEvent.Ended(Fakes.NOON, id, new FunctionName(function), "http", "/", "replied", 200, "",
        Duration.ofNanos(1_500_000), Duration.ZERO, "", "", 1);
  }

  @Test
  void streamsEventsAfterTheRecentOnes() throws Exception {
    server.fakes.events.publish(ended("1", "echo"));

    HttpResponse<InputStream> response = server.send(server.request("/api/v1/events?recent=true"),
        HttpResponse.BodyHandlers.ofInputStream());
    BufferedReader lines = new BufferedReader(new InputStreamReader(response.body()));

    assertThat(response.headers().firstValue("Content-Type")).contains("text/event-stream;charset=utf-8");
    assertThat(next(lines, "event:")).isEqualTo("event: ended");
    assertThat(next(lines, "data:")).contains("\"invocation\":\"1\"").contains("\"tookMs\":1.5");
    server.fakes.events.publish(server.fakes.events.past.get(0));
    for (GatewayEvent event : List.of(
        new GatewayEvent.Accepted(Fakes.NOON, "2", THERMO, "mqtt", "t", 3),
        new GatewayEvent.Retrying(Fakes.NOON, "2", THERMO, 1, "timeout", Duration.ofSeconds(1)),
        new GatewayEvent.Published(Fakes.NOON, "2", THERMO, "alerts/a", 5),
        new GatewayEvent.InstanceChanged(Fakes.NOON, THERMO, "weir-thermo-1", "ready", "demand", Duration.ofMillis(90), ""),
        new GatewayEvent.FunctionChanged(Fakes.NOON, THERMO, "added"),
        new GatewayEvent.DeploymentChanged(Fakes.NOON, "d1", "thermo", "1.2.0", "installed", "installed", 100),
        new GatewayEvent.PartChanged(Fakes.NOON, "broker", "running"))) {
      server.fakes.events.publish(event);
    }
    assertThat(List.of(next(lines, "event:"), next(lines, "event:"), next(lines, "event:"), next(lines, "event:"),
        next(lines, "event:"), next(lines, "event:"), next(lines, "event:"))).containsExactly("event: accepted",
        "event: retrying", "event: published", "event: instance", "event: function", "event: deployment", "event: part");
    assertThat(next(lines, ": ping")).isEqualTo(": ping");
    response.body().close();
    while (!server.fakes.events.listeners.isEmpty()) {
      Thread.onSpinWait();
    }
  }

  private static String next(BufferedReader lines, String prefix) throws Exception {
    String line = lines.readLine();
    while (!line.startsWith(prefix)) {
      line = lines.readLine();
    }
    return line;
  }

  @Test
  void refusesOneListenerTooMany() throws Exception {
    List<HttpResponse<InputStream>> open = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      open.add(server.send(server.request("/api/v1/events"), HttpResponse.BodyHandlers.ofInputStream()));
    }

    problem(server.get("/api/v1/events"), 503, "too-many-listeners");
    for (HttpResponse<InputStream> each : open) {
      each.body().close();
    }
  }

  @Test
  void passesImagesThroughWhateverTheirSize() throws Exception {
    byte[] tar = new byte[3 << 20];
    assertThat(TestServer.json(server.get("/api/v1/images?reference=localhost/a:1")))
        .isEqualTo(Map.of("reference", "localhost/a:1", "present", true));

    HttpResponse<String> imported = server.send(server.request(
        "/api/v1/images/import?reference=localhost/a:1&change=ENTRYPOINT%20%5B%22/a%22%5D&change=ENV%20A=b")
        .POST(BodyPublishers.ofByteArray(tar)));
    assertThat(imported.statusCode()).isEqualTo(201);
    assertThat(server.send(server.request("/api/v1/images/load").POST(BodyPublishers.ofByteArray(tar))).body())
        .isEqualTo("{\"references\":[\"localhost/a:1\"]}");
    assertThat(server.send(server.request("/api/v1/images/build?reference=b").POST(BodyPublishers.ofByteArray(tar)))
        .body()).isEqualTo("{\"stream\":\"STEP 1: FROM scratch\"}\n{\"reference\":\"b\"}\n");
    assertThat(server.post("/api/v1/images/pull?reference=c", "").body()).isEqualTo("{\"reference\":\"c\"}\n");

    assertThat(server.fakes.engine.calls).containsExactly("exists localhost/a:1",
        "import localhost/a:1 [ENTRYPOINT [\"/a\"], ENV A=b] 3145728", "load 3145728", "build b 3145728", "pull c");
  }

  @ParameterizedTest
  @CsvSource({"UNAVAILABLE, 503", "TIMEOUT, 504", "NO_SUCH_IMAGE, 404", "NO_SPACE, 507", "BAD_REQUEST, 400",
      "CONFLICT, 409", "FAILED, 502"})
  void tellsTheEnginesOwnWords(EngineException.Code code, int status) throws Exception {
    server.fakes.engine.failure = new EngineException(code, "crun: no");
    String label = "engine-" + code.name().toLowerCase().replace('_', '-');

    HttpResponse<String> response = server.get("/api/v1/images?reference=a");
    problem(response, status, label);
    assertThat(TestServer.json(response)).containsEntry("detail", "crun: no");
    assertThat(server.post("/api/v1/images/build?reference=b", "tar").body())
        .endsWith("{\"error\":\"crun: no\",\"code\":\"" + label + "\"}\n");
  }

  @Test
  void needsAReference() throws Exception {
    for (String path : List.of("import", "build", "pull")) {
      problem(server.post("/api/v1/images/" + path, ""), 400, "missing-parameter");
    }
    try (TestServer.Raw raw = server.raw("GET /api/v1/images?reference=%zz HTTP/1.1\r\nHost: x\r\n"
        + "Connection: close\r\n\r\n")) {
      assertThat(raw.untilEnd()).startsWith("HTTP/1.1 400").contains("bad-query");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1"})
  void keepsForeignPagesFromChangingAnything(String origin) throws Exception {
    problem(server.send(server.request("/api/v1/functions").header("Origin", origin)
        .POST(BodyPublishers.ofString("functions: {}"))), 403, "cross-site");
    problem(server.send(server.request("/api/v1/functions/thermo").header("Origin", origin).DELETE()), 403,
        "cross-site");
    assertThat(server.fakes.registry.declared).isEmpty();
    assertThat(server.send(server.request("/api/v1/functions").header("Origin", origin)).statusCode()).isEqualTo(200);
  }

  @Test
  void letsItsOwnPagesChangeThings() throws Exception {
    assertThat(server.send(server.request("/api/v1/functions").header("Origin", "http://127.0.0.1:" + server.port())
        .POST(BodyPublishers.ofString("functions: {}"))).statusCode()).isEqualTo(200);
    problem(server.send(server.request("/api/v1/functions").header("Sec-Fetch-Site", "cross-site")
        .POST(BodyPublishers.ofString("functions: {}"))), 403, "cross-site");
  }

  @Test
  void tellsWhatIsAllowed() throws Exception {
    HttpResponse<String> put = server.send(server.request("/api/v1/functions").PUT(BodyPublishers.noBody()));
    problem(put, 405, "method-not-allowed");
    assertThat(put.headers().firstValue("Allow")).contains("GET, POST");
    problem(server.get("/api/v1/nothing"), 404, "not-found");
    problem(server.get("/api/v1/functions/thermo/logs/more"), 404, "not-found");
  }

  @Test
  void countsForPrometheus() throws Exception {
    HttpResponse<String> text = server.get("/api/v1/metrics");
    assertThat(text.headers().firstValue("Content-Type").orElse("")).startsWith("text/plain;version=0.0.4");
    assertThat(text.body()).contains("# TYPE weir_invocations_no_content_total counter\n"
        + "weir_invocations_no_content_total 7\n").contains("weir_requests_in_flight 2\n");

    HttpResponse<String> open = server.send(server.request("/api/v1/metrics")
        .header("Accept", "application/openmetrics-text"));
    assertThat(open.body()).contains("# TYPE weir_invocations_no_content counter\n"
        + "weir_invocations_no_content_total 7\n").endsWith("# EOF\n");
  }

  @Test
  void tellsWhatTheKernelDoes() throws Exception {
    assertThat(TestServer.json(server.get("/api/v1/kernel"))).isEqualTo(Map.of("kernel", "6.18.44", "features", List.of(
        Map.of("name", "meter", "active", true, "how", "cgroup_skb", "why", ""),
        Map.of("name", "route", "active", false, "how", "nftables", "why", "no tcx")),
        "notes", Map.of("denied-egress", 4)));
  }

  @Test
  void tellsWhatTheKernelCounted() throws Exception {
    Map<String, Object> counts = Map.of("function", "thermo", "requests", 11, "responses",
        Map.of("other", 0, "1xx", 0, "2xx", 9, "3xx", 0, "4xx", 0, "5xx", 1), "inFlight", 1, "aborts", 0, "connections", 3,
        "http2", 0, "other", 1, "bytesIn", 4000);
    Map<String, Object> traffic = TestServer.json(server.get("/api/v1/traffic"));

    assertThat(object(traffic, "functions")).containsAllEntriesOf(counts).containsEntry("bytesOut", 8000)
        .containsEntry("latencyMs", Map.of("p50", 0.1, "p90", 0.1, "p99", 10.0, "max", 10.0));
    assertThat(object(traffic, "instances")).containsAllEntriesOf(counts).containsEntry("id", "0123");
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Map<String, Object> json, String list) {
    return ((List<Map<String, Object>>) json.get(list)).get(0);
  }

  @Test
  void countsTrafficForPrometheus() throws Exception {
    assertThat(server.get("/api/v1/metrics").body()).contains("""
        # TYPE weir_function_requests_total counter
        weir_function_requests_total{function="thermo"} 11
        # TYPE weir_function_responses_total counter
        weir_function_responses_total{function="thermo",class="other"} 0
        """, "weir_function_responses_total{function=\"thermo\",class=\"5xx\"} 1\n",
        "weir_function_bytes_total{function=\"thermo\",direction=\"out\"} 8000\n",
        "# TYPE weir_function_latency_seconds histogram\n",
        "weir_function_latency_seconds_bucket{function=\"thermo\",le=\"6.4E-5\"} 0\n",
        "weir_function_latency_seconds_bucket{function=\"thermo\",le=\"2.56E-4\"} 9\n",
        "weir_function_latency_seconds_bucket{function=\"thermo\",le=\"0.016384\"} 10\n",
        "weir_function_latency_seconds_bucket{function=\"thermo\",le=\"+Inf\"} 10\n",
        "weir_function_latency_seconds_sum{function=\"thermo\"} 0.005\n",
        "weir_kernel_notes_total{note=\"denied-egress\"} 4\n");
  }

  @Test
  void tellsMeasuresApartByTheirLabels() throws Exception {
    server.fakes.events.counters = new TreeMap<>(Map.of("cold-starts", 3L, "cold-starts.burst", 3L,
        "instances.ready", 4L, "resumes", 1L));
    assertThat(server.get("/api/v1/metrics").body()).as("where nobody tells them apart")
        .contains("weir_cold_starts_total 3\n", "weir_instances_ready_total 4\n");

    server.fakes.events.measures = List.of(
        new Measure("cold-starts", labels("cause", "burst", "from", "image"), 2, Optional.empty()),
        new Measure("cold-starts", labels("cause", "a \"b\\\n", "from", "armed"), 1, Optional.empty()),
        new Measure("instance-changes", labels("change", "ready", "cause", "demand"), 4, Optional.empty()),
        new Measure("instance-change-seconds", labels("change", "ready", "of", "x"), 4,
            Optional.of(Duration.ofMillis(1500))));
    String expected = """
        # TYPE weir_resumes_total counter
        weir_resumes_total 1
        # TYPE weir_cold_starts_total counter
        weir_cold_starts_total{cause="burst",from="image"} 2
        weir_cold_starts_total{cause="a \\"b\\\\\\n",from="armed"} 1
        # TYPE weir_instance_changes_total counter
        weir_instance_changes_total{change="ready",cause="demand"} 4
        # TYPE weir_instance_change_seconds summary
        weir_instance_change_seconds_count{change="ready",of="x"} 4
        weir_instance_change_seconds_sum{change="ready",of="x"} 1.5
        """;
    assertThat(server.get("/api/v1/metrics").body()).startsWith(expected).contains("weir_memory_held_bytes 18874368\n",
        "weir_memory_budget_bytes 536870912\n", "weir_memory_pressed 1\n");
    assertThat(server.send(server.request("/api/v1/metrics").header("Accept", "application/openmetrics-text")).body())
        .startsWith(expected.replace("_total counter", " counter"));
  }

  private static Map<String, String> labels(String... namesAndValues) {
    Map<String, String> labels = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      labels.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return labels;
  }

  private static void problem(HttpResponse<String> response, int status, String code) throws Exception {
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
    assertThat(TestServer.json(response)).containsEntry("code", code).containsEntry("status", status);
  }
}

package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.jr.ob.JSON;

/** Handlers: files that preloaded runners load when they are called. */
class RunnerIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  /** What a runner that had served somebody else would give away. */
  private static final String COUNTING = """
      import builtins, os
      builtins.seen = getattr(builtins, "seen", 0) + 1
      def handle(event):
          open("/tmp/trace", "a").write("x")
          return {"seen": builtins.seen, "name": os.environ["NAME"], "trace": len(open("/tmp/trace").read())}
      """;
  private static Gateway gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("runner", Map.of());
    for (String runtime : List.of("python", "node", "java")) {
      Gateway.Result made = gateway.weir("image", "runtime", runtime);
      assertThat(made.exitCode()).as(made.err()).isZero();
    }
  }

  @AfterEach
  void removeFunctions() {
    gateway.list("/api/v1/functions", "functions").forEach(f -> gateway.delete("/api/v1/functions/" + f.get("name")));
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  private static HttpResponse<String> declare(String yaml, Map<String, String> files) throws Exception {
    return gateway.post("/api/v1/functions", JSON.std.asString(Map.of("yaml", yaml, "files", files)),
        "Content-Type", "application/json");
  }

  private static void deploy(String yaml, Map<String, String> files) throws Exception {
    HttpResponse<String> answer = declare(yaml, files);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
  }

  private static List<Map<String, Object>> spares() {
    @SuppressWarnings("unchecked")
    var runners = (List<Map<String, Object>>) gateway.json("/api/v1/status").get("runners");
    return runners;
  }

  private static void awaitSpares(int count) {
    await().atMost(SOON).untilAsserted(() -> assertThat(spares()).hasSize(count));
  }

  private static Map<String, Object> lastInvocation(String function) {
    return gateway.list("/api/v1/invocations?function=" + function + "&limit=1", "invocations").get(0);
  }

  @Test
  void aHandlerOfEachLanguageAnswersTheFirstCallFromAFrozenSpare() throws Exception {
    Map<String, String> files = Map.of(
        "h.py", "def handle(event):\n    return f'{event.method} {event.path} {event.text}'\n",
        "h.js", "exports.handle = async (event) => `${event.method} ${event.path} ${event.text}`;\n",
        "H.java", "public class H {\n  public static Object handle(weir.Event e) {\n"
            + "    return e.method() + ' ' + e.path() + ' ' + e.text();\n  }\n}\n");
    deploy("""
        functions:
          in-python: {runtime: python, handler: h.py}
          in-node: {runtime: node, handler: h.js}
          in-java: {runtime: java, handler: H.java}
        """, files);
    awaitSpares(3);
    assertThat(spares()).extracting(s -> s.get("language")).containsExactlyInAnyOrder("python", "node", "java");
    assertThat(spares()).allMatch(s -> ((Number) s.get("memoryBytes")).longValue() > 0);

    for (String language : List.of("python", "node", "java")) {
      HttpResponse<String> answer = gateway.post("/function/in-" + language + "/way", "body");

      assertThat(answer.body()).isEqualTo("POST /way body");
      assertThat(lastInvocation("in-" + language)).containsEntry("coldCause", "never-started").containsEntry("coldFrom", "image");
    }
  }

  @Test
  void aRunnerThatServedOneFunctionNeverServesAnother() throws Exception {
    StringBuilder yaml = new StringBuilder("functions:\n");
    for (int i = 0; i < 4; i++) {
      yaml.append("  f").append(i).append(": {runtime: python, handler: c.py, env: {NAME: f").append(i).append("}}\n");
    }
    deploy(yaml.toString(), Map.of("c.py", COUNTING));
    Set<Object> instances = new HashSet<>();
    for (int i = 0; i < 4; i++) {
      assertThat(JSON.std.mapFrom(gateway.post("/function/f" + i + "/", "").body()))
          .isEqualTo(Map.of("seen", 1, "name", "f" + i, "trace", 1));
      assertThat(gateway.instancesOf("f" + i)).singleElement().satisfies(instance -> instances.add(instance.get("name")));
    }
    assertThat(instances).hasSize(4);
    // A function that is replaced does not get its own old runner either.
    deploy("functions:\n  f0: {runtime: python, handler: c.py, env: {NAME: other}}\n", Map.of("c.py", COUNTING));
    Map<String, Object> fresh = await("the new revision serves").atMost(SOON).until(
        () -> JSON.std.mapFrom(gateway.post("/function/f0/", "").body()), answer -> "other".equals(answer.get("name")));
    assertThat(fresh).isEqualTo(Map.of("seen", 1, "name", "other", "trace", 1));
  }

  @Test
  void aHandlerThatDoesNotParseIsRefusedWithItsLine() throws Exception {
    awaitEngine();

    HttpResponse<String> answer = declare("functions:\n  wrong: {runtime: python, handler: wrong.py}\n",
        Map.of("wrong.py", "import os\n\ndef handle(:\n  pass\n"));

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(String.valueOf(JSON.std.mapFrom(answer.body()).get("detail"))).contains("wrong.py line 3: invalid syntax");
    assertThat(gateway.get("/api/v1/functions/wrong").statusCode()).isEqualTo(404);
  }

  @Test
  void aHandlerThatDoesNotLoadIsAProblemWithItsTrace() throws Exception {
    deploy("functions:\n  lacking: {runtime: python, handler: lacking.py}\n",
        Map.of("lacking.py", "import json\nimport no_such_module\n\ndef handle(event):\n  pass\n"));

    HttpResponse<String> answer = gateway.post("/function/lacking/", "");

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(502);
    Map<String, Object> problem = JSON.std.mapFrom(answer.body());
    assertThat(problem).containsEntry("code", "start-failed");
    assertThat(String.valueOf(problem.get("detail"))).contains("lacking.py", "line 2", "No module named 'no_such_module'");
  }

  @Test
  void whatAHandlerPrintsIsItsLog() throws Exception {
    deploy("functions:\n  talks: {runtime: python, handler: talks.py}\n",
        Map.of("talks.py", "def handle(event):\n    print('heard', event.text)\n    raise OSError('out of order')\n"));

    HttpResponse<String> answer = gateway.post("/function/talks/", "you");

    assertThat(answer.statusCode()).isEqualTo(500);
    assertThat(answer.body()).isEqualTo("OSError: out of order\n");
    await().atMost(SOON).untilAsserted(() -> assertThat(gateway.get("/api/v1/functions/talks/logs?lines=20").body())
        .contains("heard you", "talks.py\", line 3, in handle", "OSError: out of order"));
  }

  @Test
  void noRunnerOutlivesAGatewayThatWasKilledAndHandlersWorkAgain() throws Exception {
    deploy("functions:\n  again: {runtime: python, handler: c.py, env: {NAME: again}}\n", Map.of("c.py", COUNTING));
    gateway.post("/function/again/", "");
    awaitSpares(1);
    Object spare = spares().get(0).get("name");
    Object instance = gateway.instancesOf("again").get(0).get("name");

    gateway.killAndRestart();

    assertThat(JSON.std.mapFrom(gateway.post("/function/again/", "").body())).containsEntry("seen", 1);
    awaitSpares(1);
    assertThat(spares()).noneMatch(s -> s.get("name").equals(spare));
    assertThat(gateway.instancesOf("again")).noneMatch(i -> i.get("name").equals(instance));
    await().atMost(SOON).untilAsserted(() -> assertThat(gateway.processes()).noneMatch(
        line -> line.contains(String.valueOf(spare)) || line.contains(String.valueOf(instance))));
  }

  @Test
  void theExampleTellsTheDewPoint() throws Exception {
    var folder = gateway.home().resolve("examples/handler-python");
    deploy(Files.readString(folder.resolve("weir.yaml")), Map.of("dew_point.py", Files.readString(folder.resolve("dew_point.py"))));

    try (Mqtt mqtt = new Mqtt(gateway, "dew-point/#")) {
      mqtt.publish("climate/cellar", "{\"temperature\": 20, \"humidity\": 90}");

      Mqtt.Received answer = mqtt.next(SOON);
      assertThat(answer.topic()).isEqualTo("dew-point/cellar");
      assertThat(JSON.std.mapFrom(answer.text())).containsEntry("dewPoint", 18.3).containsEntry("wet", true);
    }
  }

  /** A check needs the engine; that there is a spare shows that there is one. */
  private static void awaitEngine() throws Exception {
    deploy("functions:\n  any: {runtime: python, handler: any.py}\n", Map.of("any.py", "def handle(event): pass\n"));
    awaitSpares(1);
  }
}

package io.weir.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.cli.gateway.FakeGateway;
import io.weir.cli.gateway.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  private record Ended(int exitCode, String out, String err) {}

  private static final String THERMO = """
      {"functions":[{"name":"thermo-alert","image":"localhost/weir/thermo-alert:1","memory":"64MiB","running":1,
        "triggers":[{"mqtt":"sensors/+/+","qos":1,"path":"/"}],"output":"alerts/{1}/{2}","instances":{"min":0,"max":1}}]}""";

  @TempDir
  private Path folder;
  private FakeGateway gateway;

  @BeforeEach
  void start() throws IOException {
    gateway = new FakeGateway();
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  private Ended weir(String... args) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    int code = Main.run(new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of("WEIR_URL", gateway.url()), args);
    return new Ended(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void listsFunctionsInColumns() {
    gateway.answer("GET /functions", 200, THERMO).answer("GET /instances", 200, "{\"instances\":[]}");

    Ended ended = weir("list");

    assertThat(ended.exitCode).isZero();
    assertThat(ended.out.lines()).hasSize(2).last().asString()
        .matches("thermo-alert +image +1/1 +localhost/weir/thermo-alert:1 +64MiB +mqtt sensors/\\+/\\+ +alerts/\\{1}/\\{2}");
  }

  @Test
  void showsWhatTriggersPromiseThatIsNotUsual() {
    gateway.answer("GET /functions", 200, """
        {"functions":[{"name":"meter","image":"x","instances":{"max":1},"triggers":[
          {"mqtt":"meter/in","qos":2,"path":"/","delivery":"exactly-once","priority":"alarm"},
          {"mqtt":"meter/log","qos":1,"path":"/","delivery":"at-least-once","priority":"normal"}]}]}""");
    gateway.answer("GET /instances", 200, "{\"instances\":[]}");

    assertThat(weir("list").out).contains(" mqtt meter/in (exactly-once, alarm), mqtt meter/log\n");
  }

  @Test
  void showsHowWarmAFunctionIsAndWhyItIsBroken() {
    gateway.answer("GET /functions", 200, """
        {"functions":[
          {"name":"a","image":null,"runtime":"python","handler":"a.py","memory":"64MiB","instances":{"max":2},"running":1},
          {"name":"b","image":"x","instances":{"max":1}},
          {"name":"c","image":"x","instances":{"max":1},"broken":{"failures":3,"detail":"exit code 1\\n  boom\\u001b[31m",
            "since":"2026-01-01T00:00:00Z","retryAt":"2026-01-01T00:00:08Z"}}]}""");
    gateway.answer("GET /instances", 200, """
        {"instances":[{"function":"b","state":"armed"},{"function":"a","state":"frozen"},{"function":"a","state":"ready"},
          {"function":"c","state":"starting"},{"function":"b","state":"frozen"}]}""");

    List<String> lines = weir("functions").out.lines().toList();

    assertThat(lines.get(1)).matches("a +running +1/2 +python a\\.py +64MiB");
    assertThat(lines.get(2)).matches("b +frozen +0/1 +x");
    assertThat(lines.get(3)).matches("c +broken +0/1 +x");
    assertThat(lines.subList(4, 7)).containsExactly("broken c: failed 3 times since 2026-01-01T00:00:00Z, next try "
        + "2026-01-01T00:00:08Z", "  exit code 1", "    boom [31m");
  }

  @Test
  void showsWhereAFunctionIsReachedAndWhyNot() {
    gateway.answer("GET /functions", 200, """
        {"functions":[
          {"name":"a","image":"x","memory":"64MiB","instances":{"max":1},"service":{"port":20000,
            "addresses":["127.0.0.1:20000","[::1]:20000","192.168.1.2:20000"],"problem":null}},
          {"name":"b","image":"x","memory":"64MiB","instances":{"max":1},"service":{"port":20001,
            "addresses":["127.0.0.1:20001"],"problem":null}},
          {"name":"c","image":"x","memory":"64MiB","instances":{"max":1},"service":{"port":9001,"addresses":[],
            "problem":"port 9001 is in use"}}]}""");
    gateway.answer("GET /instances", 200, "{\"instances\":[]}");

    List<String> lines = weir("functions").out.lines().toList();

    assertThat(lines.get(1)).matches("a +image +0/1 +x +64MiB +192.168.1.2:20000");
    assertThat(lines.get(2)).matches("b +image +0/1 +x +64MiB +127.0.0.1:20001");
    assertThat(lines.get(4)).isEqualTo("problem c: port 9001 is in use");
  }

  @Test
  void showsWhatInstancesHold() {
    gateway.answer("GET /instances", 200, """
        {"instances":[{"name":"weir-a-1","function":"a","state":"frozen","address":"10.0.0.2:8080","inFlight":0,"served":7,
          "memoryBytes":18874368,"since":"2026-01-01T00:00:00Z"}]}""");

    assertThat(weir("instances").out.lines()).last().asString()
        .matches("weir-a-1 +a +frozen +18 MiB +10.0.0.2:8080 +0 +7 +2026-01-01T00:00:00Z");
  }

  @Test
  void printsTheGatewaysOwnAnswerAsJson() {
    gateway.answer("GET /functions", 200, THERMO);

    Ended ended = weir("list", "--json");

    assertThat(Json.maps(Json.object(ended.out), "functions")).hasSize(1);
    assertThat(ended.err).isEmpty();
  }

  @Test
  void deploysAFileAndSaysWhereItIsWrong() throws IOException {
    Path yaml = Files.writeString(folder.resolve("weir.yaml"), "functions: {}\n");
    gateway.answer("POST /functions", 400, """
        {"title":"Bad Request","status":400,"detail":"unknown key 'imagee'; did you mean image?","source":"%s","line":3}"""
        .formatted(yaml));

    Ended ended = weir("deploy", folder.toString());

    assertThat(ended.exitCode).isEqualTo(4);
    assertThat(ended.err).isEqualToIgnoringNewLines("weir: " + yaml + ":3: unknown key 'imagee'; did you mean image?");
    assertThat(gateway.asked()).singleElement().satisfies(asked -> {
      assertThat(asked.text()).isEqualTo("functions: {}\n");
      assertThat(asked.headers().get("Content-type")).containsExactly("application/yaml");
      assertThat(asked.path()).contains("?source=").contains("weir.yaml");
    });
  }

  @Test
  void sendsTheFilesThatHandlersAreIn() throws IOException {
    String text = """
        functions:
          a: {runtime: python, handler: a.py}
          b:
            runtime: node
            handler: "b.js"   # a comment
          c:
            runtime: python
            handler: c.py
            code: pass
          d: {runtime: python, handler: ../d.py}
        """;
    Path yaml = Files.writeString(Files.createDirectory(folder.resolve("x")).resolve("weir.yaml"), text);
    Files.writeString(yaml.resolveSibling("a.py"), "pass # ä\n");
    Files.writeString(yaml.resolveSibling("b.js"), "b");
    Files.writeString(yaml.resolveSibling("other.py"), "not asked for");
    Files.writeString(folder.resolve("d.py"), "not beside it");
    gateway.answer("POST /functions", 200, "{\"functions\":[{\"name\":\"a\"}]}");

    Ended ended = weir("deploy", yaml.toString());

    assertThat(ended.exitCode).as(ended.err).isZero();
    assertThat(gateway.asked()).singleElement().satisfies(asked -> {
      assertThat(asked.headers().get("Content-type")).containsExactly("application/json");
      assertThat(asked.path()).contains("?source=");
      assertThat(Json.object(asked.text())).isEqualTo(Map.of("yaml", text, "files",
          Map.of("a.py", "pass # ä\n", "b.js", "b")));
    });
  }

  @Test
  void tellsAHandlerThatCannotBeOneWithoutAskingTheGateway() throws IOException {
    Path yaml = Files.writeString(folder.resolve("weir.yaml"), "functions: {a: {runtime: python, handler: a.py}}");
    Path handler = Files.write(folder.resolve("a.py"), new byte[] {(byte) 0xff});
    Ended binary = weir("deploy", yaml.toString());
    Files.write(handler, new byte[(256 << 10) + 1]);
    Ended large = weir("deploy", yaml.toString());

    assertThat(binary.exitCode).isEqualTo(1);
    assertThat(binary.err).contains(handler + " is not UTF-8; save it as UTF-8");
    assertThat(large.exitCode).isEqualTo(1);
    assertThat(large.err).contains(handler + " is longer than 262144 bytes");
    assertThat(gateway.asked()).isEmpty();
  }

  private static final String CALIBRATION = """
      {"function":"thermo","source":"localhost/thermo:1","at":"2026-01-01T00:00:00Z","figures":[
        {"rung":"frozen","resumeMs":1.25,"parkMs":2.04,"memoryBytes":18874368,"samples":5},
        {"rung":"image","resumeMs":90.4,"parkMs":0.0,"memoryBytes":0,"samples":3}]}""";

  @Test
  void showsWhatFunctionsUseAndWhoUsesMostFirst() {
    String usage = """
        {"functions":[{"function":"idle","instances":0,"cpuSeconds":0.0,"memoryBytes":0,"memoryLimitBytes":0,"pids":0,"pressure":null},
          {"function":"busy","instances":2,"cpuSeconds":1.5,"memoryBytes":18874368,"memoryLimitBytes":134217728,"pids":5,
           "pressure":{"cpu":12.5,"memory":0.0,"io":0.25}}]}""";
    gateway.answer("GET /usage", 200, usage);

    assertThat(weir("top", "--every", "0").out.lines().skip(1))
        .satisfiesExactly(busy -> assertThat(busy).contains("busy", "1.50 s", "18 MiB", "128 MiB", "12.5/0.0/0.25 %"),
            idle -> assertThat(idle).startsWith("idle").endsWith("-"));
    assertThat(Json.maps(Json.object(weir("top", "--json").out), "functions")).hasSize(2);
  }

  @Test
  void showsWhatTheRungsCost() {
    gateway.answer("GET /calibration", 200, "{\"calibrations\":[" + CALIBRATION + "]}");

    Ended ended = weir("calibrate");

    assertThat(ended.exitCode).isZero();
    List<String> lines = ended.out.lines().toList();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0)).matches("FUNCTION +RUNG +RESUME +PARK +MEMORY +SAMPLES");
    assertThat(lines.get(1)).matches("thermo +frozen +1\\.3 ms +2\\.0 ms +18 MiB +5");
    assertThat(lines.get(2)).matches("thermo +image +90 ms +- +0 +3");
    gateway.answer("GET /calibration", 200, "{\"calibrations\":[]}");
    assertThat(weir("calibrate").out).contains("weir calibrate NAME");
  }

  @Test
  void showsWhatIsExpectedOfFunctions() {
    String thermo = """
        {"function":"thermo","used":true,"unused":null,"rests":"created","driver":"timers","arrivals":12,
         "next":{"from":"2026-11-21T11:59:58Z","to":"2026-11-21T12:00:02Z","probability":0.95},
         "prewarms":{"made":5,"hits":3,"late":1,"wrong":1,"refused":2},
         "followers":[{"function":"echo","afterSeconds":2.3,"deviationSeconds":0.4,"probability":0.9}],
         "candidates":[{"name":"timers","today":{"hits":11,"misses":1,"wrong":2,"memoryMibSeconds":320.5,"delaySeconds":0.25},
           "yesterday":{"hits":7,"misses":0,"wrong":0,"memoryMibSeconds":12.0,"delaySeconds":0.0}}]}""";
    String echo = """
        {"function":"echo","used":false,"unused":"it declares rest: created","rests":"created","driver":null,"arrivals":0,
         "next":null,"prewarms":{"made":0,"hits":0,"late":0,"wrong":0,"refused":0},"followers":[],"candidates":[]}""";
    gateway.answer("GET /forecasts", 200, "{\"forecasts\":[" + thermo + "," + echo + "]}");
    gateway.answer("GET /functions/thermo/forecast", 200, thermo);
    gateway.answer("GET /functions/echo/forecast", 200, echo);
    gateway.answer("GET /functions/nobody/forecast", 404, "{\"detail\":\"there is no function 'nobody'\"}");

    List<String> lines = weir("forecast").out.lines().toList();

    assertThat(lines.get(0)).matches("FUNCTION +DRIVER +CALLS +NEXT +CHANCE +RESTS +PREWARMED +HITS +LATE +WRONG +REFUSED");
    assertThat(lines.get(1)).matches("thermo +timers +12 +.*:58 to .*:02 +95 % +created +5 +3 +1 +1 +2");
    assertThat(lines.get(2)).matches("echo +- +0 +- +- +created +0 +0 +0 +0 +0");
    String one = weir("forecast", "thermo").out;
    assertThat(one).contains("5 times; 3 hits, 1 late, 1 wrong; 2 refused", "followed by echo after 2300 ms ± 400 ms, 90 %");
    assertThat(one.lines().toList()).last().asString()
        .matches("timers +11 +1 +2 +32[01] +0\\.25 s +7 +0 +0 +12 +0\\.00 s");
    assertThat(weir("forecast", "echo").out).contains("not acted on: it declares rest: created", "never called");
    assertThat(Json.object(weir("forecast", "thermo", "--json").out)).containsEntry("driver", "timers");
    Ended unknown = weir("forecast", "nobody");
    assertThat(unknown.exitCode).isEqualTo(4);
    assertThat(unknown.err).contains("there is no function 'nobody'");
  }

  @Test
  void showsWhatTheKernelCounted() {
    String traffic = """
        {"functions":[{"function":"thermo","requests":1200,"responses":{"2xx":1190,"5xx":7},"inFlight":1,"aborts":2,
          "connections":30,"bytesIn":2048,"bytesOut":18874368,"latencyMs":{"p50":0.112,"p90":2,"p99":14.3,"max":90}}],
          "instances":[]}""";
    gateway.answer("GET /traffic", 200, traffic);

    List<String> lines = weir("traffic").out.lines().toList();

    assertThat(lines.get(0)).matches("FUNCTION +REQUESTS +ERRORS +IN FLIGHT +CONNECTIONS +P50 +P99 +MAX +IN +OUT");
    assertThat(lines.get(1)).matches("thermo +1200 +9 +1 +30 +0\\.1 ms +14 ms +90 ms +2 KiB +18 MiB");
    assertThat(Json.object(weir("traffic", "--json").out)).isEqualTo(Json.object(traffic));
    gateway.answer("GET /traffic", 200, "{\"functions\":[],\"instances\":[]}");
    assertThat(weir("traffic").out).contains("weir doctor");
  }

  @Test
  void measuresTheFunctionThatIsNamed() {
    gateway.answer("POST /functions/thermo/calibration", 200, CALIBRATION);
    gateway.answer("POST /functions/b/calibration", 409, "{\"title\":\"Start failed\",\"detail\":\"exit code 1: boom\"}");

    assertThat(weir("calibrate", "thermo").out).contains("frozen", "image");
    assertThat(Json.object(weir("calibrate", "thermo", "--json").out))
        .isEqualTo(Map.of("calibrations", List.of(Json.object(CALIBRATION))));
    Ended broken = weir("calibrate", "b");
    assertThat(broken.exitCode).isEqualTo(4);
    assertThat(broken.err).contains("exit code 1: boom");
  }

  @Test
  void bringsAFunctionToARung() {
    gateway.answer("PUT /functions/a/rung", new FakeGateway.Answer(204, "text/plain", ""));
    gateway.answer("PUT /functions/b/rung", 400, "{\"title\":\"Cannot rest\",\"detail\":\"a runner cannot rest there\"}");

    Ended ended = weir("rest", "a", "armed");

    assertThat(ended.exitCode).as(ended.err).isZero();
    assertThat(ended.out).isEqualToIgnoringNewLines("a is armed");
    assertThat(gateway.asked().get(0).text()).isEqualTo("{\"rung\":\"armed\"}");
    assertThat(Json.object(weir("rest", "a", "image", "--json").out)).isEqualTo(Map.of("function", "a", "rung", "image"));
    Ended refused = weir("rest", "b", "armed");
    assertThat(refused.exitCode).isEqualTo(4);
    assertThat(refused.err).contains("a runner cannot rest there");
  }

  @Test
  void saysThatAFileDeclaresNothing() throws IOException {
    Path yaml = Files.writeString(folder.resolve("weir.yaml"), "functions: {}\n");
    gateway.answer("POST /functions", 200, "{\"functions\":[]}");

    Ended ended = weir("deploy", yaml.toString());

    assertThat(ended.exitCode).isZero();
    assertThat(ended.err).contains(yaml + " declares no function");
  }

  @Test
  void tellsAMissingFileWithoutAskingTheGateway() {
    Ended ended = weir("deploy", folder.resolve("none.yaml").toString());

    assertThat(ended.exitCode).isEqualTo(1);
    assertThat(ended.err).contains("there is no file").doesNotContain("Exception");
    assertThat(gateway.asked()).isEmpty();
  }

  @Test
  void saysHowToStartAGatewayThatDoesNotAnswer() throws IOException {
    int free;
    try (ServerSocket socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }

    Ended ended = weir("status", "--url", "http://127.0.0.1:" + free, "--json");

    assertThat(ended.exitCode).isEqualTo(3);
    assertThat(ended.err).contains("weir run");
    assertThat(Json.number(Json.object(ended.out), "exitCode")).isEqualTo(3);
  }

  @Test
  void aGatewayThatIsNotReadyIsNoSuccess() {
    gateway.answer("GET /status", 200, """
        {"version":"1","gateway":"gw","ready":false,"uptimeSeconds":61,"parts":[{"name":"broker","ready":false,"state":"port 1883 is taken"}],
         "counters":{"invocations.replied":3,"invocations.failed":0}}""");

    Ended ended = weir("status");

    assertThat(ended.exitCode).isEqualTo(1);
    assertThat(ended.out).contains("not ready", "up 1 min 1 s", "broker", "port 1883 is taken", "invocations.replied")
        .doesNotContain("invocations.failed");
  }

  @Test
  void showsWhatIsHeldOfTheMemoryAndWhichRunnersWait() {
    gateway.answer("GET /status", 200, """
        {"ready":true,"memory":{"totalBytes":536870912,"heldBytes":18874368,"pressed":true},"runners":[
          {"name":"r1","language":"python","memoryBytes":9437184},{"name":"r2","language":"node","memoryBytes":31457280},
          {"name":"r3","language":"python","memoryBytes":9437184}]}""");
    assertThat(weir("status").out).contains("instances hold 18 MiB of 512 MiB of memory; this machine is short of memory",
        "runners wait: 1 node, 2 python, with 48 MiB");

    gateway.answer("GET /status", 200, "{\"ready\":true,\"memory\":null,\"runners\":[]}");
    assertThat(weir("status").out).doesNotContain("hold", "runners");
  }

  @Test
  void aBodyReadFromAFileIsNotTakenForOptions() throws IOException {
    gateway.answer("POST /function/convert/", 200, "{}");
    Path body = Files.writeString(folder.resolve("body.txt"), "--json is a word here\n");

    Ended ended = weir("invoke", "convert", "-d", "@" + body);

    assertThat(ended.exitCode).as(ended.err).isZero();
    assertThat(gateway.asked()).singleElement().satisfies(asked -> assertThat(asked.text()).isEqualTo("--json is a word here\n"));
  }

  @Test
  void invokesWithBodyPathAndHeaders() {
    gateway.answer("POST /function/convert/deep", new FakeGateway.Answer(200, "application/json", "{\"value\":22.0}"));

    Ended ended = weir("invoke", "convert", "--path", "/deep?to=C", "-d", "{\"value\":71.6}", "-H", "X-Test: yes");

    assertThat(ended.exitCode).isZero();
    assertThat(ended.out).isEqualToIgnoringNewLines("{\"value\":22.0}");
    assertThat(gateway.asked()).singleElement().satisfies(asked -> {
      assertThat(asked.path()).isEqualTo("/function/convert/deep?to=C");
      assertThat(asked.headers().get("X-test")).containsExactly("yes");
      assertThat(asked.headers().get("Content-type")).containsExactly("application/json");
      assertThat(asked.text()).isEqualTo("{\"value\":71.6}");
    });
  }

  @Test
  void anAnswerThatIsNoSuccessIsAFailure() {
    gateway.answer("GET /function/convert/", new FakeGateway.Answer(503, "application/problem+json", "{\"detail\":\"queue full\"}"));

    Ended ended = weir("invoke", "convert", "--json");

    assertThat(ended.exitCode).isEqualTo(1);
    assertThat(Json.number(Json.object(ended.out), "status")).isEqualTo(503);
  }

  @Test
  void removesEachFunctionNamed() {
    gateway.answer("DELETE /functions/a", new FakeGateway.Answer(204, "text/plain", ""));
    gateway.answer("DELETE /functions/b", 409, "{\"title\":\"Conflict\",\"detail\":\"b is declared in /etc/weir/b.yaml\"}");

    Ended ended = weir("remove", "a", "b");

    assertThat(ended.exitCode).isEqualTo(4);
    assertThat(ended.out).contains("removed a");
    assertThat(ended.err).contains("b is declared in /etc/weir/b.yaml");
  }

  @Test
  void showsEventsAsTheyHappen() throws InterruptedException {
    gateway.event("accepted", "{\"at\":\"2026-01-01T00:00:00Z\",\"function\":\"a\",\"subject\":\"t/1\",\"bytes\":5}");
    gateway.event("ended", "{\"at\":\"2026-01-01T00:00:00Z\",\"function\":\"b\",\"subject\":\"t\\u001b[31m/2\",\"result\":\"replied\",\"status\":200,"
        + "\"tookMs\":12.9,\"coldStartMs\":11}");

    Ended ended = weir("events", "--count", "1", "--function", "b");

    assertThat(ended.exitCode).isZero();
    assertThat(ended.out).contains("replied", "200", "13 ms", "cold start 11 ms").doesNotContain("\u001b");
  }

  @Test
  void saysWhyAnInstanceHadToBeWaitedForAndWhyItChanged() {
    gateway.event("ended", "{\"function\":\"b\",\"result\":\"replied\",\"coldStartMs\":11,\"coldCause\":\"evicted\","
        + "\"coldFrom\":\"armed\"}");
    gateway.event("ended", "{\"function\":\"b\",\"result\":\"replied\",\"coldStartMs\":1.1,\"coldCause\":\"scaled-to-zero\","
        + "\"coldFrom\":\"frozen\"}");
    gateway.event("instance", "{\"function\":\"b\",\"instance\":\"weir-b-1\",\"change\":\"frozen\",\"cause\":\"idle\"}");

    assertThat(weir("events", "--count", "3").out).contains("cold start 11 ms (evicted, from armed)",
        "resumed in 1.1 ms (scaled-to-zero, from frozen)", "container weir-b-1 (idle)");
  }

  @Test
  void showsTheLogs() {
    gateway.answer("GET /functions/a/logs", new FakeGateway.Answer(200, "text/plain", "one\ntwo\n"));

    assertThat(weir("logs", "a", "--lines", "2").out.lines()).containsExactly("one", "two");
    assertThat(Json.object(weir("logs", "a", "--json").out)).containsEntry("lines", List.of("one", "two"));
  }

  @Test
  void refusesToReplayWhereNobodyListens() throws IOException {
    gateway.answer("GET /functions", 200, THERMO);
    Path csv = Files.writeString(folder.resolve("a.csv"), "timestamp,value\n1,2\n");

    Ended ended = weir("replay", "--csv", csv.toString(), "--topic", "elsewhere/x");

    assertThat(ended.exitCode).isEqualTo(1);
    assertThat(ended.err).contains("no function listens to elsewhere/x");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lst", "deploy", "invoke", "logs a --lines 0", "publish --topic a/+ -m x", "publish --topic a",
      "publish --topic a -m x -f y", "publish --topic a -m x --qos 3", "replay --csv a --topic b --rate -1",
      "replay --csv a --topic b --limit 0", "replay --csv a --topic b --patience soon", "image", "image build", "image build python",
      "image build cobol .", "image runtime cobol", "image runtime static", "image build . --tag UPPER/x:y:z",
      "image exists ../x", "run --for never", "run --port 0", "run --port 1883", "run", "invoke a -H nocolon",
      "invoke a --timeout 0s", "rest a", "rest a warm", "rest", "calibrate a b", "forecast a b", "list --url ftp://x", "list --url nonsense"})
  void aWrongCommandLineIsToldAsOne(String line) {
    Ended ended = weir(line.split(" "));

    assertThat(ended.exitCode).as(ended.err).isEqualTo(2);
    assertThat(ended.err).startsWith("weir: ").doesNotContain("Exception", "\tat ");
    assertThat(gateway.asked()).isEmpty();
  }

  @Test
  void tellsWhoeverDeploysAHandlerThatItsRuntimeIsMissing() throws IOException {
    Path yaml = Files.writeString(folder.resolve("weir.yaml"), "functions: {a: {runtime: python, handler: a.py}}");
    Files.writeString(folder.resolve("a.py"), "pass");
    gateway.answer("POST /functions", 200, "{\"functions\":[{\"name\":\"a\",\"runtime\":\"python\"}]}");
    gateway.answer("GET /images", 200, "{\"present\":false}");

    Ended missing = weir("deploy", yaml.toString());
    gateway.answer("GET /images", 200, "{\"present\":true}");
    Ended there = weir("deploy", yaml.toString());

    assertThat(missing.err + missing.out).contains("weir image runtime python");
    assertThat(missing.exitCode).isZero();
    assertThat(there.err + there.out).doesNotContain("weir image runtime");
  }

  @Test
  void suggestsTheVerbThatWasMeant() {
    assertThat(weir("lst").err).contains("weir ls");
    assertThat(weir("calibrat").err).contains("weir calibrate");
  }

  @ParameterizedTest
  @ValueSource(strings = {"run", "doctor", "status", "deploy", "list", "instances", "invoke", "logs", "remove", "events", "publish",
      "replay", "rest", "calibrate", "forecast", "traffic", "image", "image build"})
  void everyVerbExplainsItself(String verb) {
    Ended ended = weir((verb + " --help").split(" "));

    assertThat(ended.exitCode).isZero();
    assertThat(ended.out).contains("Usage: weir " + verb, "--json", "--url");
  }

  @Test
  void followsALogFromWhereItWas() {
    assertThat(LogsCommand.newLines(List.of("a", "b", "c"), List.of("b", "c", "d", "e"))).containsExactly("d", "e");
    assertThat(LogsCommand.newLines(List.of("a"), List.of("a"))).isEmpty();
    assertThat(LogsCommand.newLines(List.of(), List.of("a"))).containsExactly("a");
    assertThat(LogsCommand.newLines(List.of("a", "b"), List.of("x"))).containsExactly("x");
  }
}

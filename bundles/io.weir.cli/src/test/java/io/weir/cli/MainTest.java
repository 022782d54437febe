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
    gateway.answer("GET /functions", 200, THERMO);

    Ended ended = weir("list");

    assertThat(ended.exitCode).isZero();
    assertThat(ended.out.lines()).hasSize(2).last().asString()
        .matches("thermo-alert +1/1 +localhost/weir/thermo-alert:1 +64MiB +mqtt sensors/\\+/\\+ +alerts/\\{1}/\\{2}");
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
      "image build cobol .", "image build . --tag UPPER/x:y:z", "image exists ../x", "run --for never", "run --port 0",
      "run --port 1883", "run", "invoke a -H nocolon", "invoke a --timeout 0s", "list --url ftp://x", "list --url nonsense"})
  void aWrongCommandLineIsToldAsOne(String line) {
    Ended ended = weir(line.split(" "));

    assertThat(ended.exitCode).as(ended.err).isEqualTo(2);
    assertThat(ended.err).startsWith("weir: ").doesNotContain("Exception", "\tat ");
    assertThat(gateway.asked()).isEmpty();
  }

  @Test
  void suggestsTheVerbThatWasMeant() {
    assertThat(weir("lst").err).contains("list");
  }

  @ParameterizedTest
  @ValueSource(strings = {"run", "doctor", "status", "deploy", "list", "instances", "invoke", "logs", "remove", "events", "publish",
      "replay", "image", "image build"})
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

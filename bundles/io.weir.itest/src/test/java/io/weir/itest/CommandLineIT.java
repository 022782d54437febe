package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verbs of {@code weir}, as a shell or a script uses them: what they do, what they say, how they end. */
class CommandLineIT {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final int FAILED = 1;
  private static final int USAGE = 2;
  private static final int UNREACHABLE = 3;
  private static final int REFUSED = 4;
  /** Messages that replay lets the broker owe an acknowledgement for; a broker that ends may or may not have them. */
  private static final int UNACKNOWLEDGED = 16;
  private static Gateway gateway;

  @TempDir
  private Path folder;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("cli");
    gateway.importProbe();
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @Test
  void aDeployedFunctionIsListedInvokedLoggedAndRemoved() throws Exception {
    Gateway.Result deployed = ok("deploy", file("weir.yaml", function("life", """
        triggers: [{mqtt: life/+}, {http: /life}]
        rest: running
        """)));
    assertThat(deployed.out()).contains("deployed", "life", "mqtt life/+", "http /life");

    assertThat(ok("list").out()).contains("NAME", "life", "localhost/probe:1", "0/1");
    assertThat(ok("invoke", "life", "-d", "hello").out()).isEqualTo("hello\n");
    assertThat(ok("list").out()).contains("1/1");
    assertThat(ok("instances").out()).contains("life");
    assertThat(ok("logs", "life").out()).contains("listening on 8080");

    assertThat(ok("remove", "life").out()).isEqualTo("removed life\n");
    assertThat(names(ok("list", "--json"))).doesNotContain("life");
    assertThat(weir("remove", "life").exitCode()).isEqualTo(REFUSED);
    assertThat(gateway.get("/api/v1/functions/life").statusCode()).isEqualTo(404);
  }

  @Test
  void aFolderStandsForItsWeirYamlAndSeveralFilesAreTakenTogether() throws Exception {
    file("weir.yaml", function("first", ""));

    Gateway.Result both = ok("deploy", "--json", folder.toString(), file("other.yaml", function("second", "")));

    assertThat(names(both)).containsExactly("first", "second");
    assertThat(ok("rm", "--json", "first", "second").json()).containsEntry("removed", List.of("first", "second"));
  }

  @Test
  void aWrongFileIsRefusedByFileAndLineAndDisturbsNothing() throws Exception {
    ok("deploy", file("weir.yaml", function("steady", "")));
    ok("invoke", "steady", "-d", "x");
    Object instance = gateway.instancesOf("steady").get(0).get("name");
    String wrong = file("wrong.yaml", function("steady", "env: {A: b}") + function("other", "memmory: 64MiB")
        .replace("functions:\n", ""));

    Gateway.Result refused = weir("deploy", wrong);

    assertThat(refused.exitCode()).isEqualTo(REFUSED);
    assertThat(refused.err()).contains(wrong + ":7", "memmory").doesNotContain("Exception");
    assertThat(gateway.get("/api/v1/functions/other").statusCode()).isEqualTo(404);
    assertThat(ok("invoke", "steady", "-d", "y").out()).isEqualTo("y\n");
    assertThat(gateway.instancesOf("steady").get(0).get("name")).isEqualTo(instance);
    Map<String, Object> problem = weir("deploy", "--json", wrong).json();
    assertThat(problem).containsEntry("exitCode", REFUSED);
    assertThat(problem.get("error").toString()).contains(wrong + ":7");
  }

  @Test
  void aFileThatIsMissingIsToldByName() throws Exception {
    Gateway.Result missing = weir("deploy", folder.resolve("nowhere.yaml").toString());

    assertThat(missing.exitCode()).isEqualTo(FAILED);
    assertThat(missing.err()).contains("nowhere.yaml").doesNotContain("Exception");
  }

  @Test
  void invokePassesMethodPathHeadersAndBodyAndShowsTheAnswer() throws Exception {
    ok("deploy", file("weir.yaml", function("called", "")));

    assertThat(ok("invoke", "called", "-d", "@" + file("body.txt", "from a file\n")).out()).isEqualTo("from a file\n");
    Gateway.Result whole = ok("invoke", "called", "-i", "-X", "PUT", "--path", "/status/201?x=1", "-H", "ce-subject: shelf 3",
        "-d", "put");
    assertThat(whole.out()).contains("HTTP/1.1 201", "shelf 3").endsWith("put\n");
    Map<String, Object> answer = ok("invoke", "called", "--json", "-d", "words").json();
    assertThat(answer).containsEntry("status", 200).containsEntry("body", "words");
  }

  @Test
  void invokeFailsWithTheStatusOfAFunctionThatDoes() throws Exception {
    ok("deploy", file("weir.yaml", function("failing", "")));

    Gateway.Result teapot = weir("invoke", "failing", "--path", "/status/418", "-d", "why");
    assertThat(teapot.exitCode()).isEqualTo(FAILED);
    assertThat(teapot.out()).isEqualTo("why\n");
    assertThat(teapot.err()).contains("failing answered 418");

    Gateway.Result unknown = weir("invoke", "nobody");
    assertThat(unknown.exitCode()).isEqualTo(FAILED);
    assertThat(unknown.out()).contains("unknown-function");
  }

  @Test
  void logsShowTheLastWordsOfAContainerThatCrashed() throws Exception {
    ok("deploy", file("weir.yaml", function("dead", "env: {BEHAVE: crash}")));
    assertThat(weir("invoke", "dead").exitCode()).isEqualTo(FAILED);

    assertThat(ok("logs", "dead", "-n", "1").out()).isEqualTo("cannot find my database\n");
    assertThat(ok("logs", "dead", "--json").json()).containsEntry("function", "dead")
        .containsEntry("lines", List.of("cannot find my database"));
    assertThat(weir("logs", "nobody").exitCode()).isEqualTo(REFUSED);
  }

  @Test
  void statusTellsThatEveryPartIsReady() throws Exception {
    assertThat(ok("status").out()).startsWith("ready").contains("engine", "podman", "broker", "mosquitto", "mqtt", "http");
    assertThat(ok("status", "--json").json()).containsEntry("ready", true);
  }

  @Test
  void eventsTellWhatHappenedToOneFunction() throws Exception {
    ok("deploy", file("weir.yaml", function("told", "")));
    ok("invoke", "told", "-d", "x");

    Gateway.Result events = ok("events", "--recent", "--function", "told", "--count", "4", "--json");

    assertThat(events.out().lines()).hasSize(4).allMatch(line -> line.startsWith("{") && line.contains("\"told\""));
    assertThat(ok("events", "--recent", "--function", "told", "--count", "1").out()).contains("function", "told");
  }

  @Test
  void aPublishedMessageIsAnswered() throws Exception {
    ok("deploy", file("weir.yaml", function("listener", """
        triggers: [{mqtt: cli/+/in}]
        output: cli/{1}/out
        """)));
    try (Mqtt mqtt = new Mqtt(gateway, "cli/+/out")) {
      ok("publish", "--topic", "cli/desk/in", "-m", "21.5", "--content-type", "text/plain", "--property", "ce-subject=no");

      Mqtt.Received answer = mqtt.next(SOON);
      assertThat(answer.topic()).isEqualTo("cli/desk/out");
      assertThat(answer.text()).isEqualTo("21.5");
    }
    assertThat(weir("publish", "--topic", "cli/+/in", "-m", "x").exitCode()).isEqualTo(USAGE);
  }

  @Test
  void aMessageOverTheBrokersLimitIsRefusedAndTheNextOneGoesThrough() throws Exception {
    ok("deploy", file("weir.yaml", function("bounded", """
        triggers: [{mqtt: bounded/in}]
        output: bounded/out
        """)));
    try (Mqtt mqtt = new Mqtt(gateway, "bounded/out")) {
      for (int bytes : List.of((1 << 20) + 1, 2 << 20)) {
        Gateway.Result refused = weir("publish", "--topic", "bounded/in", "-f", file("large.txt", "x".repeat(bytes)));
        assertThat(refused.exitCode()).as(bytes + " bytes").isEqualTo(FAILED);
        assertThat(refused.err()).contains("larger than the broker allows", "max.message.bytes");
      }
      Gateway.Result forbidden = weir("publish", "--topic", "weir/forged", "-m", "x");
      assertThat(forbidden.exitCode()).isEqualTo(FAILED);
      assertThat(forbidden.err()).contains("access rules");

      ok("publish", "--topic", "bounded/in", "-m", "small");
      assertThat(mqtt.next(SOON).text()).isEqualTo("small");
    }
  }

  @Test
  void aFunctionOfAWatchedFileIsNotRemovedByName() throws Exception {
    Path watched = gateway.functionsFolder().resolve("watched.yaml");
    Files.writeString(watched, function("watched", ""));
    await().atMost(SOON).until(() -> gateway.get("/api/v1/functions/watched").statusCode() == 200);

    Gateway.Result refused = weir("remove", "watched");

    assertThat(refused.exitCode()).isEqualTo(REFUSED);
    assertThat(refused.err()).contains("watched.yaml");
    Files.delete(watched);
  }

  @Test
  void aReplayedRecordingIsAccountedForToTheLastMessage() throws Exception {
    ok("deploy", file("weir.yaml", function("replayed", """
        triggers: [{mqtt: rec/+}]
        output: rec/{1}/answers
        """)));
    String csv = file("rec.csv", "timestamp,value\n" + IntStream.range(0, 600)
        .mapToObj(i -> "2026-01-01 00:00:00," + (i % 3 == 0 ? "!204" : i)).collect(Collectors.joining("\n")));

    Gateway.Result replayed = ok("replay", "--csv", csv, "--topic", "rec/office", "--rate", "300", "--raw", "--json");

    assertThat(replayed.json()).containsEntry("complete", true).containsEntry("sent", 600).containsEntry("answered", 400)
        .containsEntry("noContent", 200).containsEntry("missing", 0).containsEntry("repeated", 0)
        .containsEntry("answersByTopic", Map.of("rec/office/answers", 400));
    assertThat(((Number) replayed.json().get("perSecond")).doubleValue()).isLessThanOrEqualTo(310);
    assertThat(ok("replay", "--csv", csv, "--topic", "rec/office", "--limit", "10").out())
        .contains("sent             10", "answered         10", "every message has its outcome");
  }

  @Test
  void aReplayIsAccountedForAlsoWhenTheBrokerRestarts() throws Exception {
    ok("deploy", file("weir.yaml", function("outlived", "triggers: [{mqtt: outlived/+}]")));
    String csv = file("long.csv", IntStream.range(0, 900).mapToObj(i -> "" + i).collect(Collectors.joining("\n")));
    CompletableFuture<Gateway.Result> replay = CompletableFuture.supplyAsync(() -> {
      try {
        return weir("replay", "--csv", csv, "--topic", "outlived/a", "--rate", "300", "--json");
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    });
    await().atMost(SOON).until(() -> gateway.list("/api/v1/invocations?function=outlived&limit=100", "invocations").size() == 100);
    broker().destroy();

    Map<String, Object> account = replay.join().json();

    int notSent = (int) account.get("notSent");
    // One more may be handed over before the client knows that its connection is gone.
    assertThat(notSent).as(account.toString()).isLessThanOrEqualTo(UNACKNOWLEDGED + 1);
    assertThat(account).containsEntry("missing", 0).containsEntry("sent", 900 - notSent).containsEntry("answered", 900 - notSent)
        .containsEntry("complete", notSent == 0);
    assertThat(replay.join().exitCode()).isEqualTo(notSent == 0 ? 0 : FAILED);
  }

  @Test
  void aReplayFailsWhenTheFunctionRejectsSomeAndSaysHowMany() throws Exception {
    ok("deploy", file("weir.yaml", function("picky", "triggers: [{mqtt: picky/+}]")));
    String csv = file("picky.csv", "value\n" + IntStream.range(0, 50)
        .mapToObj(i -> i % 10 == 0 ? "!400" : "" + i).collect(Collectors.joining("\n")));

    Gateway.Result replayed = weir("replay", "--csv", csv, "--topic", "picky/a", "--raw", "--json");

    assertThat(replayed.exitCode()).isEqualTo(FAILED);
    assertThat(replayed.json()).containsEntry("complete", false).containsEntry("sent", 50).containsEntry("answered", 45)
        .containsEntry("rejected", 5).containsEntry("missing", 0);
    assertThat(replayed.json().get("causes").toString()).contains("picky rejected 400");
  }

  @Test
  void aReplayNobodyListensToIsRefusedBeforeTheFirstMessage() throws Exception {
    Gateway.Result nobody = weir("replay", "--csv", file("a.csv", "1\n"), "--topic", "no/body/listens");

    assertThat(nobody.exitCode()).isEqualTo(FAILED);
    assertThat(nobody.err()).contains("no function listens to no/body/listens");
  }

  @Test
  void doctorKnowsThisMachineAndThatThePortsAreOurs() throws Exception {
    Gateway.Result examined = weir("doctor", "--json", "--mqtt-port", Integer.toString(gateway.mqttPort));

    assertThat(examined.json().get("findings").toString()).contains("podman", "port " + gateway.mqttPort + " is Weir's own");
    assertThat(examined.exitCode()).isEqualTo(Boolean.TRUE.equals(examined.json().get("healthy")) ? 0 : FAILED);
  }

  @Test
  void everyVerbSaysHowToStartAGatewayWhenNoneAnswers() throws Exception {
    String nobody = "http://127.0.0.1:" + Gateway.freePort();
    String yaml = file("weir.yaml", function("a", ""));
    for (List<String> verb : List.of(List.of("status"), List.of("list"), List.of("deploy", yaml), List.of("invoke", "a"),
        List.of("logs", "a"), List.of("remove", "a"), List.of("events"), List.of("publish", "--topic", "t", "-m", "x"))) {
      List<String> line = new java.util.ArrayList<>(verb);
      line.addAll(List.of("--url", nobody));
      Gateway.Result result = weir(line.toArray(String[]::new));
      assertThat(result.exitCode()).as(verb + result.err()).isEqualTo(UNREACHABLE);
      assertThat(result.err()).contains(nobody, "weir run");
    }
    assertThat(weir("status", "--json", "--url", nobody).json()).containsEntry("exitCode", UNREACHABLE);
  }

  @Test
  void aWrongCommandLineIsToldApartFromAFailure() throws Exception {
    assertThat(weir("lst").exitCode()).isEqualTo(USAGE);
    assertThat(weir("invoke").exitCode()).isEqualTo(USAGE);
    assertThat(weir("replay", "--csv", "x.csv").exitCode()).isEqualTo(USAGE);
    assertThat(weir("publish", "--topic", "t", "-m", "x", "--qos", "3").exitCode()).isEqualTo(USAGE);
  }

  private static ProcessHandle broker() {
    String program = gateway.processes().stream().filter(line -> line.contains("mosquitto -c")).findFirst().orElseThrow();
    return ProcessHandle.of(Long.parseLong(program.split(" ")[0])).orElseThrow();
  }

  private static Gateway.Result weir(String... line) throws Exception {
    return gateway.weir(line);
  }

  private static Gateway.Result ok(String... line) throws Exception {
    Gateway.Result result = weir(line);
    assertThat(result.exitCode()).as(String.join(" ", line) + ": " + result.out() + result.err()).isZero();
    return result;
  }

  private String file(String name, String text) throws Exception {
    return Files.writeString(folder.resolve(name), text).toString();
  }

  @SuppressWarnings("unchecked")
  private static List<Object> names(Gateway.Result result) {
    return ((List<Map<String, Object>>) result.json().get("functions")).stream().map(f -> f.get("name")).toList();
  }

  private static String function(String name, String more) {
    return "functions:\n  " + name + ":\n    image: localhost/probe:1\n"
        + more.lines().map(line -> "    " + line.strip() + "\n").reduce("", String::concat);
  }
}

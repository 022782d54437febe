package io.weir.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.cli.gateway.FakeGateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Moments;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The verbs that show the journal: dlq and audit, and its part of status. */
class JournalVerbsTest {
  private record Ended(int exitCode, String out, String err) {}

  private static final String LETTER = """
      "number":7,"at":"2026-01-01T00:00:09Z","function":"thermo","trigger":"mqtt","subject":"sensors/\\u001b[31ma/t",
      "id":"id-1","arrived":"2026-01-01T00:00:00Z","reason":"status-500","detail":"it broke","attempts":6,"bytes":4""";
  private static final String PAYLOAD = """
      ,"method":"POST","target":"/x?y","headers":[{"name":"Content-Type","value":"text/plain"},
      {"name":"Authorization","value":null}],""";

  @TempDir
  private Path folder;
  private final Map<String, String> env = new HashMap<>();
  private FakeGateway gateway;

  @BeforeEach
  void start() throws IOException {
    gateway = new FakeGateway();
    env.put("WEIR_URL", gateway.url());
    gateway.answer("GET /dead-letters/7", 200, "{" + LETTER + PAYLOAD + "\"body\":\"21,5\",\"bodyBase64\":null}");
    gateway.answer("POST /dead-letters/7/replay", 200, "{\"number\":12}");
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  private Ended weir(String... args) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    int code = Main.run(new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8), env, args);
    return new Ended(code, out.toString(StandardCharsets.ISO_8859_1), err.toString(StandardCharsets.UTF_8));
  }

  private List<String> asked() {
    return gateway.asked().stream().map(asked -> asked.method() + " " + asked.path().replace("/api/v1", "")).toList();
  }

  private Map<String, Object> sent() {
    List<FakeGateway.Asked> asked = gateway.asked();
    return Json.object(asked.get(asked.size() - 1).text());
  }

  private static String sentBody(Map<String, Object> sent) {
    return new String(Base64.getDecoder().decode(Json.text(sent, "bodyBase64")), StandardCharsets.UTF_8);
  }

  /** An editor that replaces commas by points in its file, or does what else the script says. */
  private void editor(String script) throws IOException {
    Path program = Files.writeString(folder.resolve("editor.sh"), script);
    env.put("EDITOR", "sh " + program);
  }

  @Test
  void listsDeadLettersAndWhereToGoOn() {
    gateway.answer("GET /dead-letters", 200, "{\"deadLetters\":[{" + LETTER + "}],\"next\":7,\"total\":9}");

    Ended ended = weir("dlq", "list", "--function", "thermo", "--limit", "1", "--after", "3");

    assertThat(ended.exitCode).as(ended.err).isZero();
    assertThat(ended.out.lines()).last().asString()
        .matches("7 +2026-01-01T00:00:09Z +thermo +sensors/ \\[31ma/t +status-500 +6 +0.0 KiB");
    assertThat(ended.err).contains("weir dlq list --after 7");
    assertThat(asked()).containsExactly("GET /dead-letters?limit=1&after=3&function=thermo");
    gateway.answer("GET /dead-letters", 200, "{\"deadLetters\":[],\"next\":null,\"total\":0}");
    assertThat(weir("dlq", "ls").out).contains("no dead letters");
  }

  @Test
  void showsALetterWithoutItsCredentials() {
    Ended ended = weir("dlq", "show", "7");

    assertThat(ended.out.lines()).contains("reason    status-500", "call      POST /x?y", "header    Content-Type: text/plain",
        "header    Authorization: (kept, not shown)", "21,5");
    assertThat(ended.out).doesNotContain("\u001b");
    assertThat(weir("dlq", "show", "7", "--payload").out).isEqualTo("21,5");
    assertThat(Json.object(weir("dlq", "show", "7", "--json").out)).containsEntry("body", "21,5");
  }

  @Test
  void writesAPayloadThatIsNoText() {
    gateway.answer("GET /dead-letters/7", 200, "{" + LETTER + PAYLOAD + "\"body\":null,\"bodyBase64\":\"AAH/\"}");

    assertThat(weir("dlq", "show", "7", "--payload").out).isEqualTo("\u0000\u0001\u00ff");
    assertThat(weir("dlq", "show", "7").out).contains("not text");
  }

  @Test
  void opensThePayloadInTheEditor() throws IOException {
    editor("sed -i 's/,/./' \"$1\"; printf '\\n' >> \"$1\"");

    Ended ended = weir("dlq", "edit", "7");

    assertThat(ended.exitCode).as(ended.err).isZero();
    assertThat(ended.out).contains("7 is tried again, edited, as event 12");
    assertThat(sent()).containsOnlyKeys("bodyBase64");
    assertThat(sentBody(sent())).as("the editor's own new line is not sent").isEqualTo("21.5");
  }

  @Test
  void sendsNothingIfNothingWasChangedOrTheEditorFailed() throws IOException {
    editor("true");
    Ended unchanged = weir("dlq", "edit", "7");
    editor("exit 3");
    Ended failed = weir("dlq", "edit", "7");
    env.put("EDITOR", "no-such-editor-at-all");
    Ended missing = weir("dlq", "edit", "7");

    assertThat(List.of(unchanged.exitCode, failed.exitCode, missing.exitCode)).containsExactly(1, 1, 5);
    assertThat(unchanged.err).contains("nothing was changed", "weir dlq replay 7");
    assertThat(asked()).containsOnly("GET /dead-letters/7");
  }

  @Test
  void keepsWhatWasWrittenIfTheGatewayRefusesIt() throws IOException {
    editor("printf 22 > \"$1\"");
    gateway.answer("POST /dead-letters/7/replay", 503, "{\"detail\":\"the journal is full\"}");

    Ended ended = weir("dlq", "edit", "7");

    assertThat(ended.exitCode).isEqualTo(4);
    assertThat(ended.err).contains("the journal is full (what you wrote is in ");
    Path kept = Path.of(ended.err.strip().replaceFirst(".*is in ", "").replaceFirst("\\)$", ""));
    assertThat(kept).hasContent("22");
    Files.delete(kept);
  }

  @Test
  void editsWithoutAnEditor() throws IOException {
    Path file = Files.writeString(folder.resolve("payload"), "22.0 °C");

    assertThat(weir("dlq", "edit", "7", "-d", "@" + file, "-H", "Content-Type: text/plain", "-H", "X-Bad:").exitCode).isZero();

    assertThat(sentBody(sent())).isEqualTo("22.0 °C");
    Map<String, Object> headers = Json.map(sent().get("headers"));
    assertThat(headers).containsEntry("Content-Type", "text/plain").containsEntry("X-Bad", null).hasSize(2);
    weir("dlq", "edit", "7", "-H", "A: b");
    assertThat(sent()).containsOnlyKeys("headers");
    assertThat(asked()).containsOnly("POST /dead-letters/7/replay");
  }

  @Test
  void replaysSomeOrAllOfAFunction() {
    gateway.answer("POST /dead-letters/replay", 200, "{\"replayed\":20}");

    Ended some = weir("dlq", "replay", "7", "8");
    Ended all = weir("dlq", "replay", "--function", "thermo", "--json");

    assertThat(some.out).contains("7 is tried again as event 12");
    assertThat(some.exitCode).as("8 is not there").isEqualTo(4);
    assertThat(Json.object(all.out)).containsEntry("replayed", 20);
    assertThat(asked()).containsExactly("POST /dead-letters/7/replay", "POST /dead-letters/8/replay",
        "POST /dead-letters/replay?function=thermo");
  }

  @Test
  void dropsOnlyWhatIsConfirmed() {
    gateway.answer("DELETE /dead-letters/7", new FakeGateway.Answer(204, "text/plain", ""));
    gateway.answer("DELETE /dead-letters", 200, "{\"dropped\":4}");

    assertThat(weir("dlq", "drop", "7").exitCode).isEqualTo(2);
    assertThat(weir("dlq", "drop", "--function", "thermo").err).contains("say --yes");
    assertThat(asked()).isEmpty();

    assertThat(weir("dlq", "drop", "7", "--yes").out).contains("dropped 7");
    assertThat(weir("dlq", "drop", "--function", "thermo", "--yes").out).contains("dropped 4");
    assertThat(asked()).containsExactly("DELETE /dead-letters/7?confirm=true",
        "DELETE /dead-letters?confirm=true&function=thermo");
  }

  @Test
  void statesWhatBecameOfEverything() {
    String audit = """
        {"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","accepted":7,"done":4,"deadLettered":1,"pending":2,
         "duplicates":3,"unbroken":true,"problems":[],"head":"c0ffee"}""";
    gateway.answer("GET /audit", 200, audit);

    Ended ended = weir("audit", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T01:00+01:00");

    assertThat(ended.exitCode).as(ended.err).isZero();
    assertThat(ended.out.lines().map(String::strip)).containsExactly("unbroken  2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z",
        "7  accepted", "4  done", "1  dead-lettered", "2  pending at the end", "3  duplicates suppressed", "head c0ffee");
    assertThat(Json.object(weir("audit", "--json").out)).isEqualTo(Json.object(audit));
    assertThat(asked()).containsExactly("GET /audit?from=2026-01-01T00%3A00%3A00Z&to=2026-01-02T00%3A00%3A00Z", "GET /audit");
  }

  @Test
  void failsWhereTheChainIsBroken() {
    gateway.answer("GET /audit", 200, "{\"unbroken\":false,\"problems\":[\"2.seg: flipped\"],\"head\":\"c0ffee\"}");

    Ended ended = weir("audit");

    assertThat(ended.exitCode).isEqualTo(1);
    assertThat(ended.out).contains("broken", "problem 2.seg: flipped").doesNotContain("unbroken");
  }

  @ParameterizedTest
  @CsvSource({"2h, 2026-01-01T22:00:00Z", "2026-01-01, 2026-01-01T00:00:00Z", "2026-01-01T12:30, 2026-01-01T12:30:00Z",
      "2026-01-01T12:30:01Z, 2026-01-01T12:30:01Z", "2026-01-01T12:30+02:00, 2026-01-01T10:30:00Z"})
  void readsTimesAsPeopleWriteThem(String text, Instant time) {
    assertThat(Moments.parse(text, Instant.parse("2026-01-02T00:00:00Z"), ZoneOffset.UTC)).isEqualTo(time);
  }

  @Test
  void showsInTheStatusWhatTheJournalDoes() {
    gateway.answer("GET /status", 200, """
        {"ready":true,"journal":{"liveBytes":1048576,"limitBytes":20971520,"pending":3,"outgoing":5,"deadLetters":2,
          "writtenBytes":18874368,"syncs":10,"changes":40,"setAside":1}}""");

    assertThat(weir("status").out).contains("journal keeps 1 MiB of 20 MiB: 3 events pending, 5 outputs to be sent, "
        + "2 dead letters; weir dlq list", "journal wrote 18 MiB in 10 syncs for 40 changes; 1 damaged files are set aside");
    gateway.answer("GET /status", 200, "{\"ready\":true,\"journal\":null}");
    assertThat(weir("status").out).doesNotContain("journal");
  }

  @ParameterizedTest
  @ValueSource(strings = {"dlq", "dlq show", "dlq show x", "dlq list --limit 0", "dlq replay", "dlq replay 7 --function a",
      "dlq drop --yes", "dlq edit 7 -H nocolon", "audit --from yesterday", "audit --to 2026-13-01"})
  void aWrongCommandLineIsToldAsOne(String line) {
    Ended ended = weir(line.split(" "));

    assertThat(ended.exitCode).as(ended.err).isEqualTo(2);
    assertThat(ended.err).startsWith("weir: ").doesNotContain("Exception", "\tat ");
    assertThat(gateway.asked()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"dlq", "dlq list", "dlq show", "dlq edit", "dlq replay", "dlq drop", "audit"})
  void everyVerbExplainsItself(String verb) {
    Ended ended = weir((verb + " --help").split(" "));

    assertThat(ended.exitCode).isZero();
    assertThat(ended.out).contains("Usage: weir " + verb, "--json", "--url");
  }
}

package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Bytes;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "dlq", description = "Dead letters: events that nobody could handle.",
    subcommands = {DlqCommand.Letters.class, DlqCommand.Show.class, DlqCommand.Edit.class, DlqCommand.Replay.class,
        DlqCommand.Drop.class})
final class DlqCommand extends Verb {
  @Override
  public Integer call() {
    throw misuse("say what to do: list, show, edit, replay or drop");
  }

  private static String path(long number) {
    return "/dead-letters/" + number;
  }

  /** What senders wrote must not steer the terminal. */
  private static String plain(Map<String, ?> object, String key) {
    return Json.text(object, key).replaceAll("\\p{Cntrl}+", " ");
  }

  private static byte[] payload(Map<String, Object> letter) {
    return letter.get("body") instanceof String text ? text.getBytes(StandardCharsets.UTF_8)
        : Base64.getDecoder().decode(Json.text(letter, "bodyBase64"));
  }

  /** Either some, or all of a function. */
  static final class Which {
    @Parameters(paramLabel = "NUMBER", arity = "1..*", description = "dead letters, as 'weir dlq list' numbers them")
    private List<Long> numbers = List.of();

    @Option(names = "--function", required = true, paramLabel = "NAME", description = "all of this function")
    private @Nullable String function;
  }

  @Command(name = "list", aliases = "ls", description = "The dead letters, oldest first.")
  static final class Letters extends Verb {
    @Option(names = "--function", paramLabel = "NAME", description = "only those of one function")
    private @Nullable String function;

    @Option(names = {"-n", "--limit"}, paramLabel = "N", defaultValue = "100", description = "how many at most (default: 100)")
    private int limit = 100;

    @Option(names = "--after", paramLabel = "NUMBER", defaultValue = "0", description = "only those with a higher number")
    private long after;

    @Override
    public Integer call() {
      if (limit < 1 || limit > 1000) {
        throw misuse("--limit must be 1 to 1000, not " + limit);
      }
      Map<String, Object> answer = gateway().get("/dead-letters?limit=" + limit + "&after=" + Math.max(0, after)
          + (function == null ? "" : "&function=" + Gateway.encode(function)));
      terminal().result(answer, () -> print(answer));
      return ExitCode.OK;
    }

    private void print(Map<String, Object> answer) {
      List<Map<String, Object>> letters = Json.maps(answer, "deadLetters");
      if (letters.isEmpty()) {
        terminal().line("no dead letters");
        return;
      }
      terminal().table(List.of("NUMBER", "GIVEN UP", "FUNCTION", "SUBJECT", "REASON", "ATTEMPTS", "PAYLOAD"),
          letters.stream().map(letter -> List.of(Json.text(letter, "number"), Json.text(letter, "at"),
              plain(letter, "function"), plain(letter, "subject"), plain(letter, "reason"),
              Json.text(letter, "attempts"), Bytes.text(Json.number(letter, "bytes")))).toList());
      if (answer.get("next") != null) {
        terminal().note("there are more: weir dlq list --after " + Json.text(answer, "next"));
      }
    }
  }

  @Command(name = "show", description = "One dead letter with its payload.")
  static final class Show extends Verb {
    @Parameters(paramLabel = "NUMBER", description = "the dead letter")
    private long number;

    @Option(names = "--payload", description = "nothing but the payload, byte by byte")
    private boolean payloadOnly;

    @Override
    public Integer call() {
      Map<String, Object> letter = gateway().get(path(number));
      if (payloadOnly && !terminal().json()) {
        terminal().bytes(payload(letter));
      } else {
        terminal().result(letter, () -> print(letter));
      }
      return ExitCode.OK;
    }

    private void print(Map<String, Object> letter) {
      for (String key : List.of("number", "function", "trigger", "subject", "id", "arrived", "reason", "detail", "attempts")) {
        line(key, plain(letter, key));
      }
      line("given up", plain(letter, "at"));
      line("call", plain(letter, "method") + " " + plain(letter, "target"));
      Json.maps(letter, "headers").forEach(header -> line("header", plain(header, "name") + ": "
          + (header.get("value") == null ? "(kept, not shown)" : plain(header, "value"))));
      line("payload", Bytes.text(Json.number(letter, "bytes")) + (letter.get("body") instanceof String ? ""
          : ", not text; 'weir dlq show " + number + " --payload' writes it"));
      if (letter.get("body") instanceof String text && !text.isEmpty()) {
        terminal().line("");
        terminal().line(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
      }
    }

    private void line(String key, String value) {
      terminal().line(String.format("%-9s %s", key, value));
    }
  }

  @Command(name = "edit", description = {"Have a dead letter tried again with another payload or other header fields.",
      "Without -d and -H the payload is opened in $VISUAL or $EDITOR; nothing is sent if it is not changed there."})
  static final class Edit extends Verb {
    @Parameters(paramLabel = "NUMBER", description = "the dead letter")
    private long number;

    @Option(names = {"-d", "--data"}, paramLabel = "TEXT|@FILE", description = "the payload; @FILE reads it, @- from standard input")
    private @Nullable String data;

    @Option(names = {"-H", "--header"}, paramLabel = "NAME:VALUE", description = "a header field to set, without a value to "
        + "remove; may be repeated")
    private List<String> headers = new ArrayList<>();

    @Override
    public Integer call() throws InterruptedException {
      Map<String, Object> changes = new LinkedHashMap<>();
      for (String header : headers) {
        int colon = header.indexOf(':');
        if (colon < 1) {
          throw misuse("--header '" + header + "' has no colon; write for example 'Content-Type: text/plain'");
        }
        String value = header.substring(colon + 1).strip();
        changes.put(header.substring(0, colon).strip(), value.isEmpty() ? null : value);
      }
      if (data == null && headers.isEmpty()) {
        try (Editor editor = new Editor(env(), payload(gateway().get(path(number))))) {
          byte[] edited = editor.edit().orElseThrow(() -> new Failure(ExitCode.FAILED,
              "nothing was changed, so nothing was sent; 'weir dlq replay " + number + "' sends it as it is"));
          editor.keepIfThisFails(() -> send(edited, changes));
        }
      } else {
        send(data == null ? null : data(data), changes);
      }
      return ExitCode.OK;
    }

    private void send(byte @Nullable [] body, Map<String, Object> changes) {
      Map<String, Object> edit = new LinkedHashMap<>();
      if (body != null) {
        edit.put("bodyBase64", Base64.getEncoder().encodeToString(body));
      }
      if (!changes.isEmpty()) {
        edit.put("headers", changes);
      }
      Map<String, Object> answer = gateway().post(path(number) + "/replay", "application/json",
          BodyPublishers.ofByteArray(Json.bytesWithNulls(edit)));
      terminal().result(answer, () -> terminal().line(number + " is tried again, edited, as event "
          + Json.text(answer, "number")));
    }
  }

  @Command(name = "replay", description = "Have dead letters tried again as they are.")
  static final class Replay extends Verb {
    @ArgGroup(multiplicity = "1")
    private Which which = new Which();

    @Override
    public Integer call() {
      Gateway gateway = gateway();
      long replayed = 0;
      if (which.function != null) {
        replayed = Json.number(gateway.post("/dead-letters/replay?function=" + Gateway.encode(which.function),
            "application/json", BodyPublishers.noBody()), "replayed");
      }
      for (long number : which.numbers) {
        Map<String, Object> answer = gateway.post(path(number) + "/replay", "application/json", BodyPublishers.noBody());
        if (!terminal().json()) {
          terminal().line(number + " is tried again as event " + Json.text(answer, "number"));
        }
        replayed++;
      }
      long all = replayed;
      if (terminal().json() || which.function != null) {
        terminal().result(Map.of("replayed", all), () -> terminal().line(all + " are tried again"));
      }
      return ExitCode.OK;
    }
  }

  @Command(name = "drop", description = "Throw dead letters away.")
  static final class Drop extends Verb {
    @ArgGroup(multiplicity = "1")
    private Which which = new Which();

    @Option(names = "--yes", description = "needed, because it cannot be undone")
    private boolean yes;

    @Override
    public Integer call() {
      if (!yes) {
        throw misuse("dropping " + (which.function == null ? "a dead letter" : "the dead letters of " + which.function)
            + " cannot be undone; say --yes");
      }
      Gateway gateway = gateway();
      long dropped = 0;
      if (which.function != null) {
        dropped = Json.number(gateway.deleted("/dead-letters?confirm=true&function=" + Gateway.encode(which.function)),
            "dropped");
      }
      for (long number : which.numbers) {
        gateway.delete(path(number) + "?confirm=true");
        if (!terminal().json()) {
          terminal().line("dropped " + number);
        }
        dropped++;
      }
      long all = dropped;
      if (terminal().json() || which.function != null) {
        terminal().result(Map.of("dropped", all), () -> terminal().line("dropped " + all));
      }
      return ExitCode.OK;
    }
  }

  /** Whether an editor that ends each file with a new line did nothing else. */
  static byte[] withoutEditorsNewline(byte[] before, byte[] after) {
    boolean had = before.length > 0 && before[before.length - 1] == '\n';
    boolean has = after.length > 0 && after[after.length - 1] == '\n';
    return has && !had ? Arrays.copyOf(after, after.length - 1) : after;
  }
}

package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Durations;
import io.weir.cli.ui.ExitCode;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "forecast",
    description = {"When functions are expected to be called, and what came of starting them before that.",
      "With NAME also who follows it, and what believing each forecaster would have cost."})
final class ForecastCommand extends Verb {
  private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT)
      .withZone(ZoneId.systemDefault());
  private static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT)
      .withZone(ZoneId.systemDefault());
  private static final Duration TODAY = Duration.ofHours(12);

  @Parameters(paramLabel = "NAME", arity = "0..1", description = "the function (default: all)")
  private String name = "";

  @Override
  public Integer call() {
    if (name.isEmpty()) {
      Map<String, Object> answer = gateway().get("/forecasts");
      terminal().result(answer, () -> all(Json.maps(answer, "forecasts")));
    } else {
      Map<String, Object> forecast = gateway().get("/functions/" + Gateway.encode(name) + "/forecast");
      terminal().result(forecast, () -> one(forecast));
    }
    return ExitCode.OK;
  }

  private void all(List<Map<String, Object>> forecasts) {
    if (forecasts.isEmpty()) {
      terminal().line("no functions; add one with 'weir deploy weir.yaml'");
      return;
    }
    terminal().table(List.of("FUNCTION", "DRIVER", "CALLS", "NEXT", "CHANCE", "RESTS", "PREWARMED", "HITS",
        "LATE", "WRONG", "REFUSED"), forecasts.stream().map(ForecastCommand::row).toList());
  }

  private static List<String> row(Map<String, Object> forecast) {
    Map<String, Object> prewarms = Json.map(forecast.get("prewarms"));
    List<String> row = new ArrayList<>(List.of(Json.text(forecast, "function"), driver(forecast),
        Json.text(forecast, "arrivals"), next(forecast), chance(forecast), Json.text(forecast, "rests")));
    List.of("made", "hits", "late", "wrong", "refused").forEach(key -> row.add(Json.text(prewarms, key)));
    return row;
  }

  /** In brackets if nothing is done about what it says. */
  private static String driver(Map<String, Object> forecast) {
    String driver = Json.text(forecast, "driver");
    return driver.isEmpty() ? "-" : Boolean.TRUE.equals(forecast.get("used")) ? driver : "(" + driver + ")";
  }

  private static String next(Map<String, Object> forecast) {
    Map<String, Object> next = Json.map(forecast.get("next"));
    return next.isEmpty() ? "-" : time(Json.text(next, "from")) + " to " + time(Json.text(next, "to"));
  }

  private static String time(String instant) {
    Instant at = Instant.parse(instant);
    return (Duration.between(Instant.now(), at).abs().compareTo(TODAY) < 0 ? CLOCK : DAY).format(at);
  }

  private static String chance(Map<String, Object> forecast) {
    Map<String, Object> next = Json.map(forecast.get("next"));
    return next.isEmpty() ? "-" : percent(Json.decimal(next, "probability"));
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", share * 100);
  }

  private void one(Map<String, Object> forecast) {
    terminal().table(List.of("FUNCTION", "DRIVER", "CALLS", "NEXT", "CHANCE", "RESTS"),
        List.of(row(forecast).subList(0, 6)));
    String unused = Json.text(forecast, "unused");
    if (!unused.isEmpty()) {
      terminal().line("not acted on: " + unused);
    }
    Map<String, Object> prewarms = Json.map(forecast.get("prewarms"));
    terminal().line("started before it was called: " + Json.text(prewarms, "made") + " times; "
        + Json.text(prewarms, "hits") + " hits, " + Json.text(prewarms, "late") + " late, "
        + Json.text(prewarms, "wrong") + " wrong; " + Json.text(prewarms, "refused")
        + " refused by the memory budget");
    for (Map<String, Object> follower : Json.maps(forecast, "followers")) {
      terminal().line("followed by " + Json.text(follower, "function") + " after "
          + Durations.millis(1000 * Json.decimal(follower, "afterSeconds")) + " ± "
          + Durations.millis(1000 * Json.decimal(follower, "deviationSeconds")) + ", "
          + percent(Json.decimal(follower, "probability")));
    }
    List<List<String>> rows = new ArrayList<>();
    for (Map<String, Object> candidate : Json.maps(forecast, "candidates")) {
      List<String> row = new ArrayList<>(List.of(Json.text(candidate, "name")));
      row.addAll(account(Json.map(candidate.get("today"))));
      row.addAll(account(Json.map(candidate.get("yesterday"))));
      rows.add(row);
    }
    if (rows.isEmpty()) {
      terminal().line("nothing was learned yet: it was never called");
    } else {
      terminal().line("what believing each would have cost, today and yesterday (UTC):");
      terminal().table(List.of("FORECASTER", "HITS", "MISSES", "WRONG", "MIB·S", "DELAY", "HITS-1D",
          "MISSES-1D", "WRONG-1D", "MIB·S-1D", "DELAY-1D"), rows);
    }
  }

  private static List<String> account(Map<String, Object> account) {
    return List.of(Json.text(account, "hits"), Json.text(account, "misses"), Json.text(account, "wrong"),
        String.format(Locale.ROOT, "%.0f", Json.decimal(account, "memoryMibSeconds")),
        String.format(Locale.ROOT, "%.2f s", Json.decimal(account, "delaySeconds")));
  }
}

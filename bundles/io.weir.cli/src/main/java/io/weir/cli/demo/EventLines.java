package io.weir.cli.demo;

import io.weir.cli.gateway.EventStream.Event;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.Durations;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.function.BiFunction;

/** An event as one aligned line: when, what kind, of whom, and the rest. */
public final class EventLines {
  private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");

  private final BiFunction<Colour, String, String> paint;

  public EventLines(BiFunction<Colour, String, String> paint) {
    this.paint = paint;
  }

  public String line(Event event) {
    Map<String, Object> data = event.data();
    String function = Json.text(data, "function");
    return switch (event.type()) {
      case "accepted" -> line(data, Colour.DIM, "message", function,
          Json.text(data, "subject") + "  " + Json.number(data, "bytes") + " B");
      case "ended" -> ended(data);
      case "retrying" -> line(data, Colour.YELLOW, "retry", function, "attempt " + Json.text(data, "attempt") + " failed: "
          + Json.text(data, "cause") + "; again in " + Durations.millis(Json.decimal(data, "delayMs")));
      case "published" -> line(data, Colour.CYAN, "answer", function,
          Json.text(data, "topic") + "  " + Json.number(data, "bytes") + " B");
      case "instance" -> instance(data);
      case "function" -> line(data, Colour.BOLD, "function", function, Json.text(data, "change"));
      case "part" -> line(data, Colour.BOLD, "part", Json.text(data, "part"), Json.text(data, "state"));
      case "deployment" -> line(data, Colour.BOLD, "package", Json.text(data, "package"), Json.text(data, "version") + "  "
          + Json.text(data, "state") + "  " + Json.text(data, "step"));
      default -> line(data, Colour.DIM, event.type(), function, data.toString());
    };
  }

  private String ended(Map<String, Object> data) {
    String result = Json.text(data, "result");
    Colour colour = switch (result) {
      case "replied" -> Colour.GREEN;
      case "no-content" -> Colour.DIM;
      case "rejected", "refused" -> Colour.YELLOW;
      default -> Colour.RED;
    };
    StringBuilder rest = new StringBuilder(Json.text(data, "subject"));
    if (Json.number(data, "status") > 0) {
      rest.append("  ").append(Json.number(data, "status"));
    }
    rest.append("  ").append(Durations.millis(Json.decimal(data, "tookMs")));
    rest.append(coldStart(data));
    if (Json.number(data, "attempts") > 1) {
      rest.append("  ").append(Json.number(data, "attempts")).append(" attempts");
    }
    if (!Json.text(data, "detail").isEmpty()) {
      rest.append("  ").append(Json.text(data, "detail"));
    }
    return line(data, colour, result, Json.text(data, "function"), rest.toString());
  }

  /** Why nobody was ready says what to do about it; giving a frozen process its CPU back is no start. */
  private static String coldStart(Map<String, Object> data) {
    String waited = Durations.millis(Json.decimal(data, "coldStartMs"));
    String cause = Json.text(data, "coldCause");
    if (cause.isEmpty()) {
      return Json.decimal(data, "coldStartMs") > 0 ? "  cold start " + waited : "";
    }
    String from = Json.text(data, "coldFrom");
    return (from.equals("frozen") ? "  resumed in " : "  cold start ") + waited + " (" + cause + ", from " + from + ")";
  }

  private String instance(Map<String, Object> data) {
    String change = Json.text(data, "change");
    Colour colour = switch (change) {
      case "crashed", "hung", "oom-killed", "start-failed" -> Colour.RED;
      case "starting", "ready", "adopted" -> Colour.CYAN;
      default -> Colour.DIM;
    };
    double took = Json.decimal(data, "tookMs");
    String detail = Json.text(data, "detail");
    String cause = Json.text(data, "cause");
    return line(data, colour, change, Json.text(data, "function"), "container " + Json.text(data, "instance")
        + (cause.isEmpty() ? "" : " (" + cause + ")") + (took > 0 ? "  " + Durations.millis(took) : "") + (detail.isEmpty() ? "" : "  " + detail));
  }

  private String line(Map<String, Object> data, Colour colour, String kind, String who, String rest) {
    return clock(Json.text(data, "at")) + "  " + paint.apply(colour, pad(kind, 12)) + "  " + pad(who, 14) + "  "
        + rest.replaceAll("\\p{Cntrl}+", " ");
  }

  static String pad(String text, int width) {
    return text.length() >= width ? text : text + " ".repeat(width - text.length());
  }

  static String clock(String instant) {
    try {
      return CLOCK.format(Instant.parse(instant).atZone(ZoneId.systemDefault()));
    } catch (DateTimeParseException e) {
      return CLOCK.format(LocalTime.now().truncatedTo(ChronoUnit.MILLIS));
    }
  }
}

package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.ExitCode;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;

@Command(name = "list", aliases = {"ls", "functions"}, description = "The functions of the gateway.")
final class ListCommand extends Verb {
  private static final List<String> WARMEST_FIRST = List.of("ready", "draining", "thawing", "freezing", "frozen",
      "starting", "armed", "arming", "created", "creating", "stopping");

  @Override
  public Integer call() {
    Gateway gateway = gateway();
    Map<String, Object> answer = gateway.get("/functions");
    List<Map<String, Object>> functions = Json.maps(answer, "functions");
    terminal().result(answer, () -> {
      if (functions.isEmpty()) {
        terminal().line("no functions; add one with 'weir deploy weir.yaml'");
        return;
      }
      List<Map<String, Object>> instances = Json.maps(gateway.get("/instances"), "instances");
      terminal().table(List.of("NAME", "STATE", "RUNNING", "PROGRAM", "MEMORY", "SERVICE", "TRIGGERS", "OUTPUT"), functions.stream()
          .map(f -> List.of(Json.text(f, "name"), state(f, instances),
              Json.number(f, "running") + "/" + Json.number(Json.map(f.get("instances")), "max"),
              program(f), Json.text(f, "memory"), service(f), triggers(f), Json.text(f, "output")))
          .toList());
      functions.forEach(this::tellIfBroken);
      functions.forEach(this::tellIfUnreachable);
    });
    return ExitCode.OK;
  }

  private void tellIfBroken(Map<String, Object> function) {
    Map<String, Object> broken = Json.map(function.get("broken"));
    if (!broken.isEmpty()) {
      terminal().line(terminal().paint(Colour.RED, "broken ") + Json.text(function, "name") + ": failed "
          + Json.text(broken, "failures") + " times since " + Json.text(broken, "since") + ", next try "
          + Json.text(broken, "retryAt"));
      Json.text(broken, "detail").lines().forEach(line ->
          terminal().line("  " + line.replaceAll("\\p{Cntrl}+", " ")));
    }
  }

  private void tellIfUnreachable(Map<String, Object> function) {
    String problem = Json.text(Json.map(function.get("service")), "problem");
    if (!problem.isEmpty()) {
      terminal().line(terminal().paint(Colour.RED, "problem ") + Json.text(function, "name") + ": " + problem);
    }
  }

  /** The address that is of most use: one on the LAN, if there is one. */
  private static String service(Map<String, Object> function) {
    List<String> addresses = Json.map(function.get("service")).get("addresses") instanceof List<?> all
        ? all.stream().map(String::valueOf).toList() : List.of();
    return addresses.stream().filter(address -> !address.startsWith("127.") && !address.startsWith("[")).findFirst()
        .or(() -> addresses.stream().findFirst()).orElse("");
  }

  /** The warmest of its instances; none is the rung of the image alone. */
  private static String state(Map<String, Object> function, List<Map<String, Object>> instances) {
    if (!Json.map(function.get("broken")).isEmpty()) {
      return "broken";
    }
    String warmest = instances.stream().filter(i -> Json.text(i, "function").equals(Json.text(function, "name")))
        .map(i -> Json.text(i, "state")).min(Comparator.comparingInt(WARMEST_FIRST::indexOf)).orElse("image");
    return warmest.equals("ready") ? "running" : warmest;
  }

  private static String program(Map<String, Object> function) {
    String image = Json.text(function, "image");
    return image.isEmpty() ? Json.text(function, "runtime") + " " + Json.text(function, "handler") : image;
  }

  static String triggers(Map<String, Object> function) {
    return Json.maps(function, "triggers").stream()
        .map(t -> t.containsKey("mqtt") ? "mqtt " + Json.text(t, "mqtt") + special(t) : "http " + Json.text(t, "http"))
        .collect(Collectors.joining(", "));
  }

  /** What few triggers promise. */
  private static String special(Map<String, Object> trigger) {
    String special = Stream.of("delivery", "priority").map(key -> Json.text(trigger, key))
        .filter(word -> word.equals("exactly-once") || word.equals("alarm")).collect(Collectors.joining(", "));
    return special.isEmpty() ? "" : " (" + special + ")";
  }
}

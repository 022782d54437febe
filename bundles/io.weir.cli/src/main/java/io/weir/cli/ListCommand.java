package io.weir.cli;

import io.weir.cli.gateway.Json;
import io.weir.cli.ui.ExitCode;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

@Command(name = "list", aliases = "ls", description = "The functions of the gateway.")
final class ListCommand extends Verb {
  @Override
  public Integer call() {
    Map<String, Object> answer = gateway().get("/functions");
    List<Map<String, Object>> functions = Json.maps(answer, "functions");
    terminal().result(answer, () -> {
      if (functions.isEmpty()) {
        terminal().line("no functions; add one with 'weir deploy weir.yaml'");
        return;
      }
      terminal().table(List.of("NAME", "RUNNING", "IMAGE", "MEMORY", "TRIGGERS", "OUTPUT"), functions.stream()
          .map(f -> List.of(Json.text(f, "name"),
              Json.number(f, "running") + "/" + Json.number(Json.map(f.get("instances")), "max"),
              Json.text(f, "image"), Json.text(f, "memory"), triggers(f), Json.text(f, "output")))
          .toList());
    });
    return ExitCode.OK;
  }

  static String triggers(Map<String, Object> function) {
    return Json.maps(function, "triggers").stream()
        .map(t -> t.containsKey("mqtt") ? "mqtt " + Json.text(t, "mqtt") : "http " + Json.text(t, "http"))
        .collect(Collectors.joining(", "));
  }
}

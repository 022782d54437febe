package io.weir.cli;

import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Bytes;
import io.weir.cli.ui.ExitCode;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;

@Command(name = "instances", description = "The containers of functions, on whatever rung they are.")
final class InstancesCommand extends Verb {
  @Override
  public Integer call() {
    Map<String, Object> answer = gateway().get("/instances");
    List<Map<String, Object>> instances = Json.maps(answer, "instances");
    terminal().result(answer, () -> {
      if (instances.isEmpty()) {
        terminal().line("no instances; a message or a request starts one");
        return;
      }
      terminal().table(List.of("NAME", "FUNCTION", "STATE", "MEMORY", "ADDRESS", "IN FLIGHT", "SERVED", "SINCE"),
          instances.stream()
          .map(i -> List.of(Json.text(i, "name"), Json.text(i, "function"), Json.text(i, "state"),
              Bytes.text(Json.number(i, "memoryBytes")), Json.text(i, "address"),
              Json.text(i, "inFlight"), Json.text(i, "served"), Json.text(i, "since")))
          .toList());
    });
    return ExitCode.OK;
  }
}

package io.weir.cli;

import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Bytes;
import io.weir.cli.ui.Durations;
import io.weir.cli.ui.ExitCode;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;

@Command(name = "traffic", description = {"What the kernel counted at the functions' sockets, whichever way requests came.",
    "ERRORS are answers with status 5xx and requests that were not answered at all."})
final class TrafficCommand extends Verb {
  @Override
  public Integer call() {
    Map<String, Object> traffic = gateway().get("/traffic");
    terminal().result(traffic, () -> print(Json.maps(traffic, "functions")));
    return ExitCode.OK;
  }

  private void print(List<Map<String, Object>> functions) {
    if (functions.isEmpty()) {
      terminal().line("nothing was counted yet; 'weir doctor' tells whether the kernel counts at all");
      return;
    }
    terminal().table(List.of("FUNCTION", "REQUESTS", "ERRORS", "IN FLIGHT", "CONNECTIONS", "P50", "P99", "MAX", "IN", "OUT"),
        functions.stream().map(TrafficCommand::row).toList());
  }

  private static List<String> row(Map<String, Object> function) {
    long errors = Json.number(Json.map(function.get("responses")), "5xx") + Json.number(function, "aborts");
    Map<String, Object> latency = Json.map(function.get("latencyMs"));
    return List.of(Json.text(function, "function"), Json.text(function, "requests"), Long.toString(errors),
        Json.text(function, "inFlight"), Json.text(function, "connections"), Durations.millis(Json.decimal(latency, "p50")),
        Durations.millis(Json.decimal(latency, "p99")), Durations.millis(Json.decimal(latency, "max")),
        Bytes.text(Json.number(function, "bytesIn")), Bytes.text(Json.number(function, "bytesOut")));
  }
}

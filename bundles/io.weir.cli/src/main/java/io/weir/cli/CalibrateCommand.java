package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Bytes;
import io.weir.cli.ui.Durations;
import io.weir.cli.ui.ExitCode;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "calibrate", description = {"What each rung of the ladder costs on this device.",
    "With NAME the function is measured now, which takes seconds and disturbs nobody; without, what is known is shown."})
final class CalibrateCommand extends Verb {
  @Parameters(paramLabel = "NAME", arity = "0..1", description = "the function to measure (default: show all that is known)")
  private String name = "";

  @Override
  public Integer call() {
    List<Map<String, Object>> calibrations = name.isEmpty() ? Json.maps(gateway().get("/calibration"), "calibrations")
        : List.of(measure(gateway()));
    terminal().result(Map.of("calibrations", calibrations), () -> print(calibrations));
    return ExitCode.OK;
  }

  private Map<String, Object> measure(Gateway gateway) {
    terminal().note("measuring " + name + " …");
    return gateway.post("/functions/" + Gateway.encode(name) + "/calibration", "application/json",
        BodyPublishers.noBody());
  }

  private void print(List<Map<String, Object>> calibrations) {
    List<List<String>> rows = new ArrayList<>();
    for (Map<String, Object> calibration : calibrations) {
      for (Map<String, Object> figure : Json.maps(calibration, "figures")) {
        double park = Json.decimal(figure, "parkMs");
        rows.add(List.of(Json.text(calibration, "function"), Json.text(figure, "rung"),
            Durations.millis(Json.decimal(figure, "resumeMs")), park == 0 ? "-" : Durations.millis(park),
            Bytes.text(Json.number(figure, "memoryBytes")), Json.text(figure, "samples")));
      }
    }
    if (rows.isEmpty()) {
      terminal().line("nothing was measured yet; 'weir calibrate NAME' measures a function");
    } else {
      terminal().table(List.of("FUNCTION", "RUNG", "RESUME", "PARK", "MEMORY", "SAMPLES"), rows);
    }
  }
}

package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.ExitCode;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "rest", description = {"Bring a function to a rung now: its idle instances go down to it, or one is "
    + "prepared up to it.", "Instances that work are left alone, and the usual rules apply again afterwards."})
final class RestCommand extends Verb {
  private static final List<String> RUNGS = List.of("image", "created", "armed", "frozen", "running");

  @Parameters(index = "0", paramLabel = "NAME", description = "the function")
  private String name = "";

  @Parameters(index = "1", paramLabel = "RUNG", description = "image, created, armed, frozen or running")
  private String rung = "";

  @Override
  public Integer call() {
    if (!RUNGS.contains(rung)) {
      throw misuse("RUNG must be " + String.join(", ", RUNGS.subList(0, 4)) + " or running, not '" + rung + "'");
    }
    gateway().put("/functions/" + Gateway.encode(name) + "/rung", "application/json",
        BodyPublishers.ofByteArray(Json.bytes(Map.of("rung", rung))));
    terminal().result(Map.of("function", name, "rung", rung), () -> terminal().line(name + " is " + words()));
    return ExitCode.OK;
  }

  private String words() {
    return rung.equals("image") ? "down to its image" : rung;
  }
}

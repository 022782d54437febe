package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.ui.ExitCode;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "remove", aliases = "rm", description = "Remove functions, and stop their instances.")
final class RemoveCommand extends Verb {
  @Parameters(paramLabel = "NAME", arity = "1..*", description = "functions")
  private List<String> names = List.of();

  @Override
  public Integer call() {
    Gateway gateway = gateway();
    for (String name : names) {
      gateway.delete("/functions/" + Gateway.encode(name));
      if (!terminal().json()) {
        terminal().line("removed " + name);
      }
    }
    if (terminal().json()) {
      terminal().result(Map.of("removed", names));
    }
    return ExitCode.OK;
  }
}

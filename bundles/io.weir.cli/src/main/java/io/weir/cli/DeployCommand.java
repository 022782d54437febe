package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.image.Images;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "deploy", description = {"Add or change the functions that weir.yaml files declare.",
    "Files beside them that they name as handlers are sent along."})
final class DeployCommand extends Verb {
  @Parameters(paramLabel = "FILE", arity = "1..*", description = "a weir.yaml, or a folder that holds one")
  private List<Path> files = List.of();

  @Override
  public Integer call() {
    Gateway gateway = gateway();
    List<Map<String, Object>> deployed = new ArrayList<>();
    for (Path file : files) {
      List<Map<String, Object>> functions = deploy(gateway, file);
      if (functions.isEmpty()) {
        terminal().note(file + " declares no function");
      }
      for (Map<String, Object> function : functions) {
        deployed.add(function);
        if (!terminal().json()) {
          terminal().line(terminal().paint(Colour.GREEN, "deployed") + " " + describe(function));
        }
      }
    }
    if (terminal().json()) {
      terminal().result(Map.of("functions", deployed));
    }
    deployed.stream().map(function -> Json.text(function, "runtime")).filter(word -> !word.isEmpty()).distinct()
        .filter(word -> !Images.hasRuntime(gateway, word)).forEach(word -> terminal().note("the gateway has no " + word
            + " yet to run this; make it once with: weir image runtime " + word));
    return ExitCode.OK;
  }

  /** Each file is all or nothing; those before a refused one stay deployed, and the message says which it was. */
  static List<Map<String, Object>> deploy(Gateway gateway, Path named) {
    Path file = Files.isDirectory(named) ? named.resolve("weir.yaml") : named;
    String yaml = HandlerFiles.text(file, read(file));
    Map<String, String> handlers = HandlerFiles.beside(file, yaml);
    String path = "/functions?source=" + Gateway.encode(file.toString());
    try {
      Map<String, Object> answer = handlers.isEmpty()
          ? gateway.post(path, "application/yaml", BodyPublishers.ofString(yaml))
          : gateway.post(path, "application/json",
              BodyPublishers.ofByteArray(Json.bytes(Map.of("yaml", yaml, "files", handlers))));
      return Json.maps(answer, "functions");
    } catch (Failure refused) {
      if (refused.exitCode() == ExitCode.REFUSED && !refused.text().contains(file.toString())) {
        throw new Failure(ExitCode.REFUSED, file + ": " + refused.text(), refused);
      }
      throw refused;
    }
  }

  private static String describe(Map<String, Object> function) {
    String triggers = ListCommand.triggers(function);
    return Json.text(function, "name") + (triggers.isEmpty() ? "" : "  " + triggers);
  }
}

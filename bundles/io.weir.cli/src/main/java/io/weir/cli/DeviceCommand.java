package io.weir.cli;

import io.weir.cli.device.ConfFolder;
import io.weir.cli.device.Device;
import io.weir.cli.device.Devices;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "device", description = "Settings for families of boards; 'weir doctor --device' says which one fits.",
    subcommands = {DeviceCommand.Known.class, DeviceCommand.Apply.class})
final class DeviceCommand extends Verb {
  @Override
  public Integer call() {
    throw misuse("say what to do: list or apply");
  }

  /** The folder named, else that of the installation that this command belongs to. */
  static Optional<ConfFolder> conf(@Nullable Path named) {
    return Optional.ofNullable(named).or(() -> Optional.ofNullable(System.getProperty("weir.dist")).map(home -> Path.of(home, "conf")))
        .map(ConfFolder::new);
  }

  static Device device(Verb verb, String name) {
    return Devices.find(name).orElseThrow(() -> verb.misuse(Devices.unknown(name)));
  }

  @Command(name = "list", aliases = "ls", description = "The devices that there are settings for.")
  static final class Known extends Verb {
    @Override
    public Integer call() {
      List<Map<String, Object>> json = Devices.all().stream().map(device -> {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("name", device.name());
        one.put("title", device.title());
        one.put("architectures", device.architectures());
        one.put("settings", device.settings());
        return one;
      }).toList();
      terminal().result(Map.of("devices", json), () -> terminal().table(List.of("NAME", "SYSTEMS", "FOR"), Devices.all().stream()
          .map(device -> List.of(device.name(), String.join(", ", device.architectures()), device.title())).toList()));
      return ExitCode.OK;
    }
  }

  @Command(name = "apply", description = "Write a device's settings into the conf folder, where a running Weir takes them up.")
  static final class Apply extends Verb {
    @Parameters(paramLabel = "NAME", description = "the device")
    private String name = "";

    @Option(names = "--conf", paramLabel = "DIR", description = "default: the conf folder of this installation")
    private @Nullable Path conf;

    @Override
    public Integer call() {
      Device device = device(this, name);
      ConfFolder folder = DeviceCommand.conf(conf).filter(ConfFolder::exists).orElseThrow(() -> new Failure(ExitCode.FAILED,
          "there is no folder of settings" + (conf == null ? "; name it with --conf" : " at " + conf)));
      List<Path> changed;
      try {
        changed = folder.apply(device);
      } catch (IOException e) {
        throw new Failure(ExitCode.FAILED, "the settings cannot be written: " + e.getMessage() + "; run with sudo, or name another "
            + "folder with --conf", e);
      }
      terminal().result(Map.of("device", device.name(), "changed", changed.stream().map(Path::toString).toList()), () -> {
        changed.forEach(file -> terminal().line(terminal().paint(Colour.GREEN, "changed") + " " + file));
        terminal().line(changed.isEmpty() ? "the settings of " + device.name() + " are in place already"
            : "the settings of " + device.name() + " are in place");
      });
      return ExitCode.OK;
    }
  }
}

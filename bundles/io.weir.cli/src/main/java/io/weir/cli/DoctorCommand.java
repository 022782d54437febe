package io.weir.cli;

import io.weir.cli.device.Device;
import io.weir.cli.device.DeviceFacts;
import io.weir.cli.doctor.DeviceDoctor;
import io.weir.cli.doctor.Doctor;
import io.weir.cli.doctor.FactFinder;
import io.weir.cli.doctor.Finding;
import io.weir.cli.doctor.HostFacts;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.ExitCode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "doctor", description = "Whether this machine can run Weir, and what to do if not; exit code 1 if it cannot.")
final class DoctorCommand extends Verb {
  @Option(names = "--data", paramLabel = "DIR", defaultValue = "/var/lib/weir", description = "where the data will be (default: /var/lib/weir)")
  private Path data = Path.of("/var/lib/weir");

  @Option(names = "--mqtt-port", paramLabel = "N", defaultValue = "1883", description = "MQTT port (default: 1883)")
  private int mqttPort = 1883;

  @Option(names = "--device", paramLabel = "NAME", arity = "0..1", fallbackValue = "",
      description = "also, whether this machine is such a device, and what it lacks; without a name: which one fits")
  private @Nullable String device;

  @Option(names = "--conf", paramLabel = "DIR", description = "with --device: where the settings are (default: of this installation)")
  private @Nullable Path conf;

  @Override
  public Integer call() {
    Optional<Device> wanted = Optional.ofNullable(device).filter(name -> !name.isEmpty())
        .map(name -> DeviceCommand.device(this, name));
    int http = gateway().address().getPort();
    HostFacts facts = FactFinder.ofThisMachine(data, List.of(http < 0 ? 8480 : http, mqttPort), gateway());
    List<Finding> findings = new ArrayList<>(Doctor.examine(facts));
    if (device != null) {
      findings.addAll(DeviceDoctor.examine(wanted, DeviceFacts.ofThisMachine(data, facts.arch(), facts.memoryMiB(),
          facts.controllers().contains("memory"), facts.kernelCommandLine()), DeviceCommand.conf(conf)));
    }
    boolean healthy = findings.stream().noneMatch(f -> f.level() == Finding.Level.FAIL);
    terminal().result(json(facts, findings, healthy), () -> print(facts, findings, healthy));
    return healthy ? ExitCode.OK : ExitCode.FAILED;
  }

  private void print(HostFacts facts, List<Finding> findings, boolean healthy) {
    terminal().line(facts.os() + ", " + facts.arch());
    for (Finding finding : findings) {
      String mark = switch (finding.level()) {
        case OK -> terminal().paint(Colour.GREEN, "ok  ");
        case WARN -> terminal().paint(Colour.YELLOW, "warn");
        case FAIL -> terminal().paint(Colour.RED, "FAIL");
      };
      terminal().line(mark + "  " + finding.text());
      if (!finding.fix().isEmpty()) {
        terminal().line("      → " + finding.fix());
      }
    }
    terminal().line(healthy ? "Weir can run here." : "Weir cannot run here yet.");
  }

  private static Map<String, Object> json(HostFacts facts, List<Finding> findings, boolean healthy) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("healthy", healthy);
    json.put("os", facts.os());
    json.put("arch", facts.arch());
    json.put("kernel", facts.kernel());
    json.put("findings", findings.stream().map(f -> {
      Map<String, Object> finding = new LinkedHashMap<>();
      finding.put("level", f.level().name().toLowerCase(Locale.ROOT));
      finding.put("subject", f.subject());
      finding.put("text", f.text());
      finding.put("fix", f.fix());
      return finding;
    }).toList());
    return json;
  }
}

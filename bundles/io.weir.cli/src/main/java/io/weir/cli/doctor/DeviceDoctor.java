package io.weir.cli.doctor;

import io.weir.cli.device.ConfFolder;
import io.weir.cli.device.Device;
import io.weir.cli.device.DeviceFacts;
import io.weir.cli.device.Devices;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Judges whether a machine is the device that it is to be, and what it lacks for that. */
public final class DeviceDoctor {
  private DeviceDoctor() {}

  /**
   * @param wanted the device; empty to have the one chosen that fits
   * @param conf where its settings belong; empty if that is not known
   */
  public static List<Finding> examine(Optional<Device> wanted, DeviceFacts facts, Optional<ConfFolder> conf) {
    Optional<Device> fitting = Devices.fitting(facts);
    Optional<Device> chosen = wanted.or(() -> fitting);
    if (chosen.isEmpty()) {
      return List.of(Finding.fail("device", "no device configuration fits " + facts.architecture(),
          "Weir has none for this processor; begin with the settings of generic-armhf or generic-x86_64 in device-configs"));
    }
    Device device = chosen.get();
    List<Finding> findings = new ArrayList<>();
    String better = fitting.map(other -> "use --device " + other.name()).orElse("there is none for " + facts.architecture());
    String machine = (facts.model().isEmpty() ? "this machine" : facts.model()) + ", " + facts.architecture() + ", "
        + facts.memoryMiB() + " MiB";
    if (!device.architectures().contains(facts.architecture())) {
      findings.add(Finding.fail("device", device.name() + " is for " + String.join(" or ", device.architectures()) + ", and this machine is "
          + facts.architecture(), better));
      return findings;
    }
    fit(device, facts, machine, better, findings);
    memoryAccounting(device, facts, findings);
    interfaces(device, facts, findings);
    storage(device, facts, findings);
    conf.filter(ConfFolder::exists).ifPresent(folder -> settings(device, folder, findings));
    return findings;
  }

  private static void fit(Device device, DeviceFacts facts, String machine, String better, List<Finding> findings) {
    boolean model = device.isGeneric() || device.models().stream().anyMatch(facts.model()::startsWith);
    if (!model) {
      findings.add(Finding.warn("device", device.name() + " is for " + String.join(", ", device.models()) + ", and this is "
          + (facts.model().isEmpty() ? "none of them" : "a " + facts.model()), better));
    } else if (facts.memoryMiB() > 0 && facts.memoryMiB() < device.leastMiB()) {
      findings.add(Finding.warn("device", device.name() + " reckons with " + device.leastMiB() + " MiB of memory or more, and here are "
          + facts.memoryMiB(), better.contains(device.name()) ? "lower memory.budget.mib of io.weir.pool" : better));
    } else {
      findings.add(Finding.ok("device", "device " + device.name() + " fits " + machine));
    }
  }

  private static void memoryAccounting(Device device, DeviceFacts facts, List<Finding> findings) {
    List<String> words = List.of(facts.kernelCommandLine().split("\\s+"));
    List<String> missing = device.bootWords().stream().filter(word -> !words.contains(word)).toList();
    if (facts.countsMemory()) {
      findings.add(Finding.ok("device memory", "the kernel counts the memory of functions"));
    } else {
      findings.add(Finding.fail("device memory", "the kernel does not count the memory of functions; its command line lacks "
          + (missing.isEmpty() ? "nothing of " + String.join(" ", device.bootWords()) : String.join(" ", missing)),
          missing.isEmpty() ? "remove cgroup_disable=memory from " + device.bootFile() + ", then reboot"
              : "add " + String.join(" ", missing) + " to the kernel's command line in " + device.bootFile() + ", then reboot"));
    }
  }

  private static void interfaces(Device device, DeviceFacts facts, List<Finding> findings) {
    List<String> here = device.interfaces().stream().filter(facts.interfaces()::contains).toList();
    if (here.isEmpty()) {
      findings.add(Finding.warn("device interfaces", "none of " + String.join(", ", device.interfaces()) + " is here",
          facts.interfaces().isEmpty() ? "plug a network in; until then functions are reached from this machine only"
              : "where interfaces of io.weir.activator are named, name " + String.join(", ", facts.interfaces())));
    } else {
      findings.add(Finding.ok("device interfaces", "network interfaces " + String.join(", ", here)));
    }
  }

  private static void storage(Device device, DeviceFacts facts, List<Finding> findings) {
    String window = device.settings().getOrDefault("io.weir.journal", Map.of()).getOrDefault("window.ms", "5");
    if (facts.dataOnSdCard() && !device.sdCard()) {
      findings.add(Finding.warn("device storage", "the journal is on an SD card, and " + device.name() + " reckons with a disk",
          "put the data folder on a disk (WEIR_DATA), or set window.ms of io.weir.journal to 20"));
    } else if (facts.dataOnSdCard()) {
      findings.add(Finding.ok("device storage", "the journal is on an SD card, which is forced every " + window + " ms at most; "
          + "a disk for WEIR_DATA, or for folder of io.weir.journal, lasts longer"));
    } else {
      findings.add(Finding.ok("device storage", "the journal is not on an SD card"));
    }
  }

  private static void settings(Device device, ConfFolder folder, List<Finding> findings) {
    try {
      Map<String, Optional<String>> differences = folder.differences(device);
      findings.add(differences.isEmpty() ? Finding.ok("device settings", "the settings of " + device.name() + " are in place")
          : Finding.warn("device settings", differences.size() + " settings of " + device.name() + " are not in place: "
              + differences.entrySet().stream().map(each -> each.getKey() + each.getValue().map(is -> " (is " + is + ")").orElse(""))
                  .collect(Collectors.joining(", ")), "weir device apply " + device.name()));
    } catch (IOException e) {
      findings.add(Finding.warn("device settings", "the settings here cannot be read: " + e.getMessage(),
          "run with sudo, or name the folder with --conf"));
    }
  }
}

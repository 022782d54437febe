package io.weir.cli.device;

import io.weir.cli.gateway.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Every family of boards that Weir comes with settings for. */
public final class Devices {
  private static final List<String> NAMES = List.of("raspberry-pi-5", "raspberry-pi-4", "raspberry-pi-3-zero2w",
      "generic-aarch64", "generic-armhf", "generic-x86_64");

  private Devices() {}

  public static List<Device> all() {
    return NAMES.stream().map(Devices::read).toList();
  }

  private static Device read(String name) {
    try (InputStream in = Devices.class.getResourceAsStream(name + "/device.json")) {
      if (in == null) {
        throw new IllegalStateException(name + "/device.json is missing from the command line's jar");
      }
      return Device.of(Json.object(new String(in.readAllBytes(), StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static Optional<Device> find(String name) {
    return all().stream().filter(device -> device.name().equals(name)).findFirst();
  }

  /** The one whose settings suit a machine best: that of its model, else any of its architecture; empty if there is none. */
  public static Optional<Device> fitting(DeviceFacts facts) {
    return Stream.concat(
        all().stream().filter(device -> device.isModel(facts.model()) && facts.memoryMiB() >= device.leastMiB()),
        all().stream().filter(Device::isGeneric)).filter(device -> device.runs(facts.architecture())).findFirst();
  }

  /** For whoever asked for one that is not there. */
  public static String unknown(String name) {
    String known = String.join(", ", NAMES);
    String plain = name.toLowerCase(java.util.Locale.ROOT).replaceAll("[^a-z0-9]", "");
    return "there is no device '" + name + "'; " + NAMES.stream()
        .filter(each -> plain.length() > 2 && each.replaceAll("[^a-z0-9]", "").contains(plain)).findFirst()
        .map(each -> "did you mean '" + each + "'? ").orElse("") + "known are " + known;
  }
}

package io.weir.cli.device;

import io.weir.cli.gateway.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A family of boards, as its {@code device.json} has it; the schema beside that says what may be in there.
 *
 * @param architectures Debian's names of the systems that run on it
 * @param models what the device tree's model begins with; empty for any machine
 * @param bootFile where the kernel's command line is written
 * @param bootWords what must be in it where the kernel does not count memory by itself
 * @param sdCard whether it usually boots from an SD card
 * @param settings values by PID and key
 */
public record Device(String name, String title, List<String> architectures, List<String> models, long leastMiB,
    String bootFile, List<String> bootWords, List<String> interfaces, boolean sdCard, Map<String, Map<String, String>> settings) {

  static Device of(Map<String, Object> json) {
    Map<String, Object> boot = Json.map(json.get("kernelCommandLine"));
    Map<String, Map<String, String>> settings = new LinkedHashMap<>();
    Json.map(json.get("settings")).forEach((pid, values) -> {
      Map<String, String> texts = new LinkedHashMap<>();
      Json.map(values).forEach((key, value) -> texts.put(key, String.valueOf(value)));
      settings.put(pid, texts);
    });
    return new Device(Json.text(json, "name"), Json.text(json, "title"), texts(json, "architectures"), texts(json, "models"),
        Json.number(Json.map(json.get("memory")), "leastMiB"), Json.text(boot, "file"), texts(boot, "words"),
        texts(json, "interfaces"), Json.text(Json.map(json.get("storage")), "medium").equals("sd-card"), settings);
  }

  private static List<String> texts(Map<String, Object> json, String key) {
    return json.get(key) instanceof List<?> list ? list.stream().map(String::valueOf).toList() : List.of();
  }

  /** Whether it is made for one model alone, rather than for whatever has the processor. */
  public boolean isGeneric() {
    return models.isEmpty();
  }

  boolean runs(String architecture) {
    return architectures.contains(architecture);
  }

  boolean isModel(String model) {
    return models.stream().anyMatch(model::startsWith);
  }
}

package io.weir.cli.device;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The folder of {@code PID.cfg} files that a Weir on plain Felix watches. */
public final class ConfFolder {
  private static final Pattern LINE = Pattern.compile("\\s*([A-Za-z][A-Za-z0-9._-]*)\\s*[=:]\\s*(.*?)\\s*");

  private final Path folder;

  public ConfFolder(Path folder) {
    this.folder = folder;
  }

  public boolean exists() {
    return Files.isDirectory(folder);
  }

  private Path file(String pid) {
    return folder.resolve(pid + ".cfg");
  }

  private List<String> lines(String pid) throws IOException {
    return Files.exists(file(pid)) ? Files.readAllLines(file(pid)) : List.of();
  }

  /** What the device's settings are here, where they are others; empty if a key is not set. */
  public Map<String, Optional<String>> differences(Device device) throws IOException {
    Map<String, Optional<String>> differences = new LinkedHashMap<>();
    for (Map.Entry<String, Map<String, String>> service : device.settings().entrySet()) {
      Map<String, String> here = new LinkedHashMap<>();
      for (String line : lines(service.getKey())) {
        Matcher matcher = LINE.matcher(line);
        if (matcher.matches()) {
          here.put(matcher.group(1), matcher.group(2));
        }
      }
      service.getValue().forEach((key, value) -> {
        if (!value.equals(here.get(key))) {
          differences.put(service.getKey() + " " + key + "=" + value, Optional.ofNullable(here.get(key)));
        }
      });
    }
    return differences;
  }

  /**
   * Sets the device's settings, each file at once, and leaves all others as they are.
   *
   * @return the files that were changed
   */
  public List<Path> apply(Device device) throws IOException {
    List<Path> changed = new ArrayList<>();
    for (Map.Entry<String, Map<String, String>> service : device.settings().entrySet()) {
      List<String> before = lines(service.getKey());
      List<String> after = merged(before, service.getValue());
      if (!after.equals(before)) {
        Path file = file(service.getKey());
        Path next = folder.resolve("." + service.getKey() + ".next");
        Files.write(next, after);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        changed.add(file);
      }
    }
    return changed;
  }

  private static List<String> merged(List<String> before, Map<String, String> settings) {
    Map<String, String> left = new LinkedHashMap<>(settings);
    List<String> after = new ArrayList<>();
    for (String line : before) {
      Matcher matcher = LINE.matcher(line);
      if (!matcher.matches() || !settings.containsKey(matcher.group(1))) {
        after.add(line);
      } else {
        String value = left.remove(matcher.group(1));
        if (value != null) {
          after.add(matcher.group(2).equals(value) ? line : matcher.group(1) + "=" + value);
        }
      }
    }
    left.forEach((key, value) -> after.add(key + "=" + value));
    return after;
  }
}

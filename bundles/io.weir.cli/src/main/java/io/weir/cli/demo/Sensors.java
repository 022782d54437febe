package io.weir.cli.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The sensors every Linux machine has: temperatures where the board has any, load, processor, memory, disk and network.
 * Reads /sys and /proc; rates are over the time since the last reading. Not thread-safe.
 */
public final class Sensors {
  /** @param unit of the value, for people */
  public record Reading(double value, String unit) {}

  private record Counter(double value, long at) {}

  private final Path root;
  private final Map<String, Counter> before = new LinkedHashMap<>();
  private double busyBefore = Double.NaN;
  private double allBefore;

  /** @param root where {@code proc} and {@code sys} are; {@code /} but in tests */
  public Sensors(Path root) {
    this.root = root;
  }

  /** What can be read now, by name; a rate appears from the second reading on. */
  public Map<String, Reading> read(long nanos) {
    Map<String, Reading> readings = new LinkedHashMap<>();
    temperatures(readings);
    load(readings);
    processor(readings);
    memory(readings);
    disk(readings, nanos);
    network(readings, nanos);
    return readings;
  }

  private void temperatures(Map<String, Reading> readings) {
    Path zones = root.resolve("sys/class/thermal");
    if (!Files.isDirectory(zones)) {
      return;
    }
    try (Stream<Path> list = Files.list(zones)) {
      for (Path zone : list.filter(p -> p.getFileName().toString().startsWith("thermal_zone")).sorted().toList()) {
        String temp = text(zone.resolve("temp")).strip();
        String type = text(zone.resolve("type")).strip();
        if (temp.matches("-?\\d+")) {
          String name = readings.isEmpty() ? "temperature" : "temperature-" + name(type.isEmpty() ? zone.getFileName().toString() : type);
          readings.putIfAbsent(name, new Reading(Long.parseLong(temp) / 1000.0, "°C"));
        }
      }
    } catch (IOException e) {
      // A zone that vanishes while it is read has no temperature.
    }
  }

  private void load(Map<String, Reading> readings) {
    String[] words = text(root.resolve("proc/loadavg")).split(" ");
    if (words[0].matches("\\d+\\.\\d+")) {
      readings.put("load", new Reading(Double.parseDouble(words[0]), ""));
    }
  }

  private void processor(Map<String, Reading> readings) {
    String[] words = text(root.resolve("proc/stat")).lines().findFirst().orElse("").trim().split("\\s+");
    if (words.length < 6 || !words[0].equals("cpu")) {
      return;
    }
    double all = 0;
    for (int i = 1; i < Math.min(words.length, 9); i++) {
      all += Double.parseDouble(words[i]);
    }
    double busy = all - Double.parseDouble(words[4]) - Double.parseDouble(words[5]);
    if (!Double.isNaN(busyBefore) && all > allBefore) {
      readings.put("processor", new Reading(round(100 * (busy - busyBefore) / (all - allBefore)), "%"));
    }
    busyBefore = busy;
    allBefore = all;
  }

  private void memory(Map<String, Reading> readings) {
    double total = 0;
    double available = 0;
    for (String line : text(root.resolve("proc/meminfo")).lines().toList()) {
      String[] words = line.split("\\s+");
      if (line.startsWith("MemTotal:")) {
        total = Double.parseDouble(words[1]);
      } else if (line.startsWith("MemAvailable:")) {
        available = Double.parseDouble(words[1]);
      }
    }
    if (total > 0) {
      readings.put("memory", new Reading(round(100 * (total - available) / total), "%"));
    }
  }

  private void disk(Map<String, Reading> readings, long nanos) {
    double read = 0;
    double written = 0;
    for (String line : text(root.resolve("proc/diskstats")).lines().toList()) {
      String[] words = line.trim().split("\\s+");
      // Whole disks only: a partition's sectors are its disk's too.
      if (words.length > 9 && Files.isDirectory(root.resolve("sys/block").resolve(words[2]))
          && !words[2].matches("(loop|ram|dm-|zram|md).*")) {
        read += Double.parseDouble(words[5]) * 512;
        written += Double.parseDouble(words[9]) * 512;
      }
    }
    rate(readings, "disk-read", read, nanos);
    rate(readings, "disk-write", written, nanos);
  }

  private void network(Map<String, Reading> readings, long nanos) {
    double received = 0;
    double sent = 0;
    for (String line : text(root.resolve("proc/net/dev")).lines().toList()) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        String[] words = line.substring(colon + 1).trim().split("\\s+");
        received += Double.parseDouble(words[0]);
        sent += Double.parseDouble(words[8]);
      }
    }
    rate(readings, "network-in", received, nanos);
    rate(readings, "network-out", sent, nanos);
  }

  private void rate(Map<String, Reading> readings, String name, double value, long nanos) {
    Counter last = before.put(name, new Counter(value, nanos));
    if (last != null && nanos > last.at && value >= last.value) {
      readings.put(name, new Reading(round((value - last.value) / 1024 / ((nanos - last.at) / 1e9)), "KiB/s"));
    }
  }

  private static double round(double value) {
    return Math.round(value * 100) / 100.0;
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return "";
    }
  }

  /** A word that may stand between the slashes of a topic. */
  public static String name(String text) {
    String name = text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9._-]+", "-").replaceAll("^-+|-+$", "");
    return name.isEmpty() ? "unknown" : name;
  }
}

package io.weir.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SensorsTest {
  @TempDir
  private Path root;

  private void file(String name, String text) throws IOException {
    Files.createDirectories(root.resolve(name).getParent());
    Files.writeString(root.resolve(name), text);
  }

  @Test
  void readsWhatAPiOffers() throws IOException {
    file("sys/class/thermal/thermal_zone0/temp", "48312\n");
    file("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
    file("proc/loadavg", "0.42 0.30 0.20 1/100 1234\n");
    file("proc/stat", "cpu  100 0 100 700 100 0 0 0 0 0\n");
    file("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\n");
    file("proc/diskstats", " 179 0 mmcblk0 1 0 100 0 1 0 200 0 0 0 0\n 179 1 mmcblk0p1 1 0 100 0 1 0 200 0 0 0 0\n");
    Files.createDirectories(root.resolve("sys/block/mmcblk0"));
    file("proc/net/dev", "Inter-|\n face |\n  eth0: 1000 1 0 0 0 0 0 0 5000 1 0 0 0 0 0 0\n");
    Sensors sensors = new Sensors(root);

    Map<String, Sensors.Reading> first = sensors.read(0);
    file("proc/stat", "cpu  150 0 150 750 150 0 0 0 0 0\n");
    file("proc/diskstats", " 179 0 mmcblk0 1 0 104 0 1 0 208 0 0 0 0\n");
    file("proc/net/dev", "  eth0: 3048 1 0 0 0 0 0 0 5000 1 0 0 0 0 0 0\n");
    Map<String, Sensors.Reading> second = sensors.read(2_000_000_000L);

    assertThat(first).containsEntry("temperature", new Sensors.Reading(48.312, "°C")).containsEntry("load", new Sensors.Reading(0.42, ""))
        .containsEntry("memory", new Sensors.Reading(75, "%")).doesNotContainKeys("processor", "disk-read", "network-in");
    assertThat(second).containsEntry("processor", new Sensors.Reading(50, "%"))
        .containsEntry("disk-read", new Sensors.Reading(1, "KiB/s")).containsEntry("disk-write", new Sensors.Reading(2, "KiB/s"))
        .containsEntry("network-in", new Sensors.Reading(1, "KiB/s")).containsEntry("network-out", new Sensors.Reading(0, "KiB/s"));
  }

  @Test
  void aMachineWithoutAnythingHasNoReadings() {
    assertThat(new Sensors(root).read(0)).isEmpty();
  }

  @Test
  void makesNamesFitForTopics() {
    assertThat(Sensors.name("Pi/4 #1+")).isEqualTo("pi-4-1");
    assertThat(Sensors.name("///")).isEqualTo("unknown");
  }

  @Test
  void thisMachineHasLoadAndMemory() {
    assertThat(new Sensors(Path.of("/")).read(0)).containsKeys("load", "memory");
  }
}

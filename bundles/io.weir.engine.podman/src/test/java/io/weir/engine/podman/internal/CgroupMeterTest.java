package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.weir.engine.ContainerStats;
import io.weir.engine.Pressure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CgroupMeterTest {
  @TempDir
  Path mount;

  @Test
  void readsV1() throws IOException {
    FakeCgroups cgroups = FakeCgroups.hybrid(mount);
    cgroups.with("memory/weir/one", Map.of("memory.usage_in_bytes", "5000\n", "memory.limit_in_bytes", "16777216\n",
        "memory.stat", "inactive_file 7\ntotal_inactive_anon 9\ntotal_inactive_file 1000\n"));
    cgroups.with("cpuacct/weir/one", Map.of("cpuacct.usage", "30140352\n"));
    cgroups.with("pids/weir/one", Map.of("pids.current", "3\n"));

    assertThat(new CgroupMeter(cgroups.tree(), "/weir/one").read())
        .isEqualTo(new ContainerStats(30_140_352, 4000, 16 << 20, 3));
  }

  @Test
  void readsV2() throws IOException {
    FakeCgroups cgroups = FakeCgroups.v2(mount);
    cgroups.with("weir.slice/one", Map.of("memory.current", "5000\n", "memory.max", "max\n",
        "memory.stat", "anon 9\ninactive_file 6000\n", "cpu.stat", "usage_usec 1500\nuser_usec 1\n",
        "pids.current", "3\n"));

    assertThat(new CgroupMeter(cgroups.tree(), "/weir.slice/one").read())
        .as("no less than nothing: the kernel counts the two at different times")
        .isEqualTo(new ContainerStats(1_500_000, 0, Long.MAX_VALUE, 3));
  }

  @Test
  void readsPressureFromV2AlsoBesideV1WhereTheKernelTells() throws IOException {
    FakeCgroups cgroups = FakeCgroups.hybrid(mount);
    cgroups.with("memory/weir/one", Map.of("memory.usage_in_bytes", "1\n", "memory.limit_in_bytes", "1\n",
        "memory.stat", ""));
    cgroups.with("cpuacct/weir/one", Map.of("cpuacct.usage", "1\n"));
    cgroups.with("pids/weir/one", Map.of("pids.current", "1\n"));
    assertThat(new CgroupMeter(cgroups.tree(), "/weir/one").read().pressure()).isEmpty();

    String full = "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
    cgroups.with("unified/weir/one", Map.of("cpu.pressure", "some avg10=12.50 avg60=1.00 avg300=0.10 total=7\n" + full,
        "memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n" + full,
        "io.pressure", "some avg10=3.00 avg60=0.00 avg300=0.00 total=0\n" + full));
    assertThat(new CgroupMeter(cgroups.tree(), "/weir/one").read().pressure()).contains(new Pressure(12.5, 0, 3));
  }

  @Test
  void saysWhatItCannotRead() throws IOException {
    FakeCgroups cgroups = FakeCgroups.v2(mount);
    cgroups.with("odd", Map.of("memory.current", "many\n"));

    assertThatIOException().isThrownBy(() -> new CgroupMeter(cgroups.tree(), "/gone").read())
        .withMessageContaining("/gone");
    assertThatIOException().isThrownBy(() -> new CgroupMeter(cgroups.tree(), "/odd").read())
        .withMessageContaining("many");
  }
}

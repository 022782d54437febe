package io.weir.pool.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryPressureTest {
  @TempDir Path proc;
  private final MemoryPressure pressure() {
    return new MemoryPressure(proc, 10);
  }

  @Test
  void isHighWhenLittleIsAvailable() throws IOException {
    machine(1_000_000, 90_000, "0.00");
    assertThat(pressure().isHigh()).isTrue();

    machine(1_000_000, 110_000, "0.00");
    assertThat(pressure().isHigh()).isFalse();
    assertThat(pressure().total()).isEqualTo(1_000_000L << 10);
  }

  @Test
  void isHighWhenProgramsStallAndThereIsNotMuchLeft() throws IOException {
    machine(1_000_000, 300_000, "25.10");
    assertThat(pressure().isHigh()).isTrue();

    machine(1_000_000, 300_000, "5.00");
    assertThat(pressure().isHigh()).isFalse();
  }

  @Test
  void aFunctionThatFightsItsOwnLimitIsNoPressureOnTheMachine() throws IOException {
    machine(1_000_000, 800_000, "60.00");

    assertThat(pressure().isHigh()).isFalse();
  }

  @Test
  void aKernelWithoutStallInformationIsJudgedByWhatIsAvailable() throws IOException {
    machine(1_000_000, 90_000, "0.00");
    Files.delete(proc.resolve("pressure/memory"));

    assertThat(pressure().isHigh()).isTrue();
  }

  private void machine(long total, long available, String stalled) throws IOException {
    Files.createDirectories(proc.resolve("pressure"));
    Files.writeString(proc.resolve("meminfo"),
        "MemTotal:       " + total + " kB\nMemFree:  1 kB\nMemAvailable:   " + available + " kB\n");
    Files.writeString(proc.resolve("pressure/memory"), "some avg10=" + stalled
        + " avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  }
}

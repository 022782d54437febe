package io.weir.cli.ui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final AtomicLong now = new AtomicLong();

  private Progress progress(boolean tty, long total) {
    return new Progress(new PrintStream(err, true, StandardCharsets.UTF_8), tty, "loading", total, "B", now::get);
  }

  private String shown() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void drawsHowFarItIsAndHowLongItWillTake() {
    assertThat(Progress.render("x", 25, 100, "messages", "", 5_000_000_000L))
        .isEqualTo("x [#######.....................]  25 %  25 messages of 100 messages  15 s left");
    assertThat(Progress.render("x", 0, 0, "", "apt", 3_000_000_000L)).isEqualTo("x    3 s  apt");
    assertThat(Progress.render("x", 200, 100, "", "", 1)).contains("100 %");
  }

  @Test
  void staysQuietOnATerminalForWhatIsQuick() {
    try (Progress progress = progress(true, 10)) {
      now.set(400_000_000L);
      progress.to(10);
      progress.done("");
    }

    assertThat(shown()).isEmpty();
  }

  @Test
  void redrawsOneLineOnATerminal() {
    try (Progress progress = progress(true, 10)) {
      now.set(600_000_000L);
      progress.to(5);
      now.set(650_000_000L);
      progress.to(6);
      progress.done("ready");
    }

    assertThat(shown()).startsWith("\r\u001b[Kloading [").endsWith("loading: ready (0.7 s)\n").doesNotContain("6 B");
  }

  @Test
  void writesPlainLinesElsewhere() {
    try (Progress progress = progress(false, 10)) {
      now.set(5_000_000_000L);
      progress.to(5);
      now.set(11_000_000_000L);
      progress.to(9);
      progress.done("");
    }

    assertThat(shown()).doesNotContain("\u001b", "\r");
    assertThat(shown().lines()).hasSize(3).first().isEqualTo("loading …");
  }

  @Test
  void leavesNoHalfLineBehindWhenItFails() {
    Progress progress = progress(true, 10);
    now.set(600_000_000L);
    progress.to(5);
    progress.close();
    progress.close();
    progress.to(7);

    assertThat(shown()).endsWith("\r\u001b[K");
  }

  @Test
  void readsDurations() {
    assertThat(Durations.parse("60s")).isEqualTo(Duration.ofMinutes(1));
    assertThat(Durations.parse("500ms")).isEqualTo(Duration.ofMillis(500));
    assertThat(Durations.parse("2")).isEqualTo(Duration.ofSeconds(2));
    assertThatThrownBy(() -> Durations.parse("soon")).hasMessageContaining("60s");
    assertThatThrownBy(() -> Durations.parse("0s")).hasMessageContaining("no duration");
  }
}

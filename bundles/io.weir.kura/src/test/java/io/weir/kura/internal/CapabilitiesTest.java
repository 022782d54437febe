package io.weir.kura.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CapabilitiesTest {
  @TempDir
  private Path folder;

  private String missing(String effective) throws IOException {
    return Capabilities.missing(Files.writeString(folder.resolve("status"),
        "Name:\tjava\nCapPrm:\t0000000000000000\nCapEff:\t" + effective + "\n"));
  }

  @Test
  void findsNothingMissingWithAllOfThem() throws IOException {
    assertThat(missing("000001ffffffffff")).isEmpty();
  }

  /** net_admin, net_raw, dac_override, dac_read_search, net_bind_service, sys_boot, kill, sys_module, sys_time, … */
  @Test
  void saysWhatKura5IsMissingAndHowToMendIt() throws IOException {
    assertThat(missing("0000000406413426")).contains("cap_bpf, cap_perfmon,", "kura.service.d/weir.conf",
        "AmbientCapabilities=cap_bpf cap_perfmon,", "systemctl restart kura");
  }

  @Test
  void takesSysAdminForTheOlderNameOfBoth() throws IOException {
    assertThat(missing("0000000000201000")).isEmpty();
  }

  @Test
  void guessesNothingWhereThereIsNoProc() {
    assertThat(Capabilities.missing(folder.resolve("none"))).isEmpty();
  }
}

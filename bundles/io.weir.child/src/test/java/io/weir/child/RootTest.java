package io.weir.child;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RootTest {
  @Test
  void aUserWithEveryCapabilityCanRunProgramsAsRoot() {
    assertThat(Root.lacking(List.of("Name:\tjava", "CapEff:\t000001ffffffffff"))).isEmpty();
  }

  @Test
  void aUserWhoLacksOneOfThemIsToldWhich() {
    long withoutSetuid = 0x1ffffffffffL & ~(1L << 7);

    assertThat(Root.lacking(List.of("CapEff:\t" + Long.toHexString(withoutSetuid)))).containsExactly("CAP_SETUID");
    assertThat(Root.lacking(List.of("CapEff:\t0000000000000000"))).hasSize(8).contains("CAP_SYS_ADMIN");
    assertThat(Root.lacking(List.of())).hasSize(8);
  }

  @Test
  void itsProgramsRunAsRootOutsideTheSandboxAndDieWithTheirParent() {
    assertThat(String.join(" ", Root.wrapped(List.of("podman", "--version"), Optional.of(Path.of("/run/weir")))))
        .isEqualTo("/usr/bin/nsenter --mount=/proc/1/ns/mnt -- /usr/bin/env --chdir=/run/weir /usr/bin/setpriv "
            + "--reuid 0 --regid 0 --clear-groups --pdeathsig TERM -- podman --version");
  }
}

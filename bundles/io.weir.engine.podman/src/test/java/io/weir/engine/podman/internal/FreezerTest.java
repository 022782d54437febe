package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FreezerTest {
  @TempDir
  Path mount;

  @Test
  void writesTheFreezerOfV1WhereItIsMountedAlsoBesideV2() throws IOException {
    FakeCgroups cgroups = FakeCgroups.hybrid(mount);
    Path group = cgroups.with("freezer/weir/one", Map.of("freezer.state", "THAWED\n"));
    Path unified = cgroups.with("unified/weir/one", Map.of("cgroup.freeze", "0\n", "cgroup.events", "frozen 0\n"));
    Freezer freezer = Freezer.of(cgroups.tree(), "/weir/one").orElseThrow();

    assertThat(freezer.frozen()).isFalse();
    assertThat(freezer.freeze(Duration.ofSeconds(10))).isTrue();

    assertThat(group.resolve("freezer.state")).hasContent("FROZEN");
    assertThat(freezer.frozen()).isTrue();
    freezer.thaw();
    assertThat(group.resolve("freezer.state")).hasContent("THAWED");
    assertThat(unified.resolve("cgroup.freeze")).hasContent("0");
  }

  @Test
  void writesTheFreezeFileOfV2() throws IOException {
    FakeCgroups cgroups = FakeCgroups.v2(mount);
    Path group = cgroups.with("weir.slice/one", Map.of("cgroup.freeze", "0\n",
        "cgroup.events", "populated 1\nfrozen 1\n"));
    Freezer freezer = Freezer.of(cgroups.tree(), "/weir.slice/one").orElseThrow();

    assertThat(freezer.freeze(Duration.ofSeconds(10))).isTrue();

    assertThat(Files.readString(group.resolve("cgroup.freeze"))).startsWith("1");
    freezer.thaw();
    assertThat(Files.readString(group.resolve("cgroup.freeze"))).startsWith("0");
  }

  @Test
  void thawsAgainWhatDoesNotFreezeInTime() throws IOException {
    FakeCgroups cgroups = FakeCgroups.v2(mount);
    Path group = cgroups.with("one", Map.of("cgroup.freeze", "0", "cgroup.events", "populated 1\nfrozen 0\n"));

    assertThat(Freezer.of(cgroups.tree(), "/one").orElseThrow().freeze(Duration.ZERO)).isFalse();

    assertThat(group.resolve("cgroup.freeze")).hasContent("0");
  }

  @Test
  void thereIsNoneWithoutItsFileAndNoneOutsideTheHierarchy() throws IOException {
    FakeCgroups cgroups = FakeCgroups.hybrid(mount);
    cgroups.with("freezer", Map.of("freezer.state", "THAWED"));
    cgroups.with("unified", Map.of("cgroup.freeze", "0"));
    cgroups.with("other", Map.of("freezer.state", "THAWED", "cgroup.freeze", "0"));

    for (String cgroup : new String[] {"/weir/none", "/", "", "/../other", "/.."}) {
      assertThat(Freezer.of(cgroups.tree(), cgroup)).as(cgroup).isEmpty();
    }
  }

  @Test
  void saysThatTheCgroupIsGone() throws IOException {
    FakeCgroups cgroups = FakeCgroups.v2(mount);
    Path group = cgroups.with("one", Map.of("cgroup.freeze", "0"));
    Freezer freezer = Freezer.of(cgroups.tree(), "/one").orElseThrow();
    Files.delete(group.resolve("cgroup.freeze"));

    assertThatIOException().isThrownBy(freezer::thaw);
    assertThatIOException().isThrownBy(() -> freezer.freeze(Duration.ofSeconds(10)));
  }
}

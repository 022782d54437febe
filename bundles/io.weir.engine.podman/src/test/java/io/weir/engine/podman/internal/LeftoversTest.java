package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With directories for cgroups; what the kernel and Podman do is PodmanEngineIT's. */
class LeftoversTest {
  private static final String ONE = "1".repeat(64);
  private static final String TWO = "2".repeat(64);
  private static final Path SOCKET = Path.of("/run/weir/engine/podman.sock");
  private static final String HASH = String.format("%08x", SOCKET.hashCode());
  /** Its state is in /run/no-runtime, which does not exist. */
  private static final Session.Runtime NO_RUNTIME = new Session.Runtime(Path.of("/nonexistent/no-runtime"));

  @TempDir
  Path mount;

  @Test
  void namesItsCgroupAsTheManagerWantsIt() throws IOException {
    OwnCgroup cgroup = new OwnCgroup(FakeCgroups.v2(mount).tree(), SOCKET);

    assertThat(cgroup.parent("cgroupfs")).isEqualTo("/weir-" + HASH);
    assertThat(cgroup.parent("systemd")).isEqualTo("weir" + HASH + ".slice");
    assertThat(cgroup.isMentionedIn("\"/weir-" + HASH + "/libpod-1\"")).isTrue();
    assertThat(cgroup.isMentionedIn("\"/weir" + HASH + ".slice/libpod-1.scope\"")).isTrue();
    assertThat(cgroup.isMentionedIn("\"/weir-" + HASH + "0/libpod-1\"")).isFalse();
  }

  @Test
  void sweepsInEveryHierarchyWhatPodmanDoesNotKnow() throws IOException {
    FakeCgroups cgroups = FakeCgroups.hybrid(mount);
    for (String hierarchy : new String[] {"pids", "freezer", "unified"}) {
      cgroups.with(hierarchy + "/weir-" + HASH + "/libpod-" + ONE + "/nested", Map.of());
      cgroups.with(hierarchy + "/weir-" + HASH + "/libpod-" + TWO, Map.of());
      cgroups.with(hierarchy + "/libpod_parent/libpod-" + ONE, Map.of());
      cgroups.with(hierarchy + "/weir-00/libpod-" + ONE, Map.of());
    }
    Leftovers leftovers = new Leftovers(new OwnCgroup(cgroups.tree(), SOCKET));

    leftovers.sweep(NO_RUNTIME, () -> Set.of(TWO));

    for (String hierarchy : new String[] {"pids", "freezer", "unified"}) {
      assertThat(mount.resolve(hierarchy).resolve("weir-" + HASH)).isDirectoryNotContaining(
          group -> group.getFileName().toString().contains(ONE));
      assertThat(mount.resolve(hierarchy).resolve("weir-" + HASH)).isDirectoryContaining(
          group -> group.getFileName().toString().contains(TWO));
      assertThat(mount.resolve(hierarchy).resolve("libpod_parent").resolve("libpod-" + ONE)).exists();
      assertThat(mount.resolve(hierarchy).resolve("weir-00").resolve("libpod-" + ONE)).exists();
    }
  }

  @Test
  void aSweepLeavesEverythingIfPodmanDoesNotAnswer() throws IOException {
    FakeCgroups cgroups = FakeCgroups.v2(mount);
    Path group = cgroups.with("weir-" + HASH + "/libpod-" + ONE, Map.of());
    Leftovers leftovers = new Leftovers(new OwnCgroup(cgroups.tree(), SOCKET));

    org.assertj.core.api.Assertions.assertThatIllegalStateException().isThrownBy(
        () -> leftovers.sweep(NO_RUNTIME, () -> {
          throw new IllegalStateException("away");
        }));

    assertThat(group).exists();
  }

  @Test
  void keepsAnEmptyCgroupFrozenOnV1Only() throws IOException {
    new OwnCgroup(FakeCgroups.v2(mount).tree(), SOCKET).keepFreezing();
    assertThat(mount.resolve("freezer")).doesNotExist();

    Files.delete(mount.resolve("cgroup.controllers"));
    FakeCgroups cgroups = FakeCgroups.hybrid(mount);
    cgroups.with("freezer", Map.of("cgroup.procs", ""));
    new OwnCgroup(cgroups.tree(), SOCKET).keepFreezing();
    assertThat(mount.resolve("freezer/weir-" + HASH + "/frost/freezer.state")).hasContent("FROZEN");
  }

  @Test
  void closingRemovesItsCgroupUnlessContainersLiveOn() throws IOException {
    FakeCgroups cgroups = FakeCgroups.v2(mount);
    Path parent = cgroups.with("weir-" + HASH, Map.of());
    cgroups.with("weir-" + HASH + "/conmon", Map.of());
    Path group = cgroups.with("weir-" + HASH + "/libpod-" + ONE, Map.of());
    Leftovers leftovers = new Leftovers(new OwnCgroup(cgroups.tree(), SOCKET));

    leftovers.close();
    assertThat(group).exists();

    Files.delete(group);
    leftovers.close();
    assertThat(parent).doesNotExist();
  }
}

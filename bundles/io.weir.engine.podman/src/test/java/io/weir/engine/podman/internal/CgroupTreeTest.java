package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CgroupTreeTest {
  @TempDir
  Path mount;

  @Test
  void listsDirectoriesAsDeepAsAskedParentsFirst() throws Exception {
    Files.createDirectories(mount.resolve("memory/weir/instance"));
    Files.writeString(mount.resolve("memory/cgroup.procs"), "");

    assertThat(CgroupTree.directories(mount, 2))
        .containsExactly(mount, mount.resolve("memory"), mount.resolve("memory/weir"));
  }

  @Test
  void leavesOutWhatIsRemovedWhileItLooks() throws Exception {
    Path kept = Files.createDirectories(mount.resolve("memory/kept"));
    AtomicBoolean enough = new AtomicBoolean();
    CompletableFuture<Void> others = CompletableFuture.runAsync(() -> {
      while (!enough.get()) {
        comeAndGo(mount.resolve("memory/other"));
      }
    });
    try {
      for (int i = 0; i < 2_000; i++) {
        assertThat(CgroupTree.directories(mount, 4)).contains(kept);
      }
    } finally {
      enough.set(true);
      others.get(10, TimeUnit.SECONDS);
    }
  }

  private static void comeAndGo(Path group) {
    try {
      Files.createDirectories(group.resolve("below"));
      Files.writeString(group.resolve("below/cgroup.procs"), "1");
      Files.delete(group.resolve("below/cgroup.procs"));
      Files.delete(group.resolve("below"));
      Files.delete(group);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

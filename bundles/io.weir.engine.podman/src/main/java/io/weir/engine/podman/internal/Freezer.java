package io.weir.engine.podman.internal;

import io.weir.child.Root;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * Takes the CPU away from the processes of one cgroup and gives it back, by the kernel's own file: a hundredth of what
 * Podman's pause costs. Thread-safe.
 */
final class Freezer {
  private static final long FIRST_LOOK_NANOS = 50_000;
  private static final long LONGEST_LOOK_NANOS = 5_000_000;

  private final Path command;
  private final byte[] freeze;
  private final byte[] thaw;
  private final Path state;
  private final String frozen;

  private Freezer(Path command, String freeze, String thaw, Path state, String frozen) {
    this.command = command;
    this.freeze = freeze.getBytes(StandardCharsets.US_ASCII);
    this.thaw = thaw.getBytes(StandardCharsets.US_ASCII);
    this.state = state;
    this.frozen = frozen;
  }

  /** The freezer of a cgroup: that of v1 where it is mounted, since Podman and its runtimes use that one too. */
  static Optional<Freezer> of(CgroupTree tree, String cgroup) {
    return tree.v1("freezer", cgroup).map(Freezer::v1).or(() -> tree.v2(cgroup).map(Freezer::v2))
        .filter(freezer -> Root.mayWrite(freezer.command));
  }

  private static Freezer v1(Path group) {
    Path state = group.resolve("freezer.state");
    return new Freezer(state, "FROZEN", "THAWED", state, "FROZEN");
  }

  private static Freezer v2(Path group) {
    return new Freezer(group.resolve("cgroup.freeze"), "1", "0", group.resolve("cgroup.events"), "frozen 1");
  }

  /** Returns when nothing in it runs any more; false, and thawed again, if that took longer than {@code limit}. */
  boolean freeze(Duration limit) throws IOException {
    write(freeze);
    long deadline = System.nanoTime() + limit.toNanos();
    for (long pause = FIRST_LOOK_NANOS; !frozen(); pause = Math.min(2 * pause, LONGEST_LOOK_NANOS)) {
      if (System.nanoTime() > deadline || Thread.currentThread().isInterrupted()) {
        thaw();
        return false;
      }
      LockSupport.parkNanos(pause);
    }
    return true;
  }

  void thaw() throws IOException {
    write(thaw);
  }

  boolean frozen() throws IOException {
    return Files.readString(state).lines().anyMatch(frozen::equals);
  }

  private void write(byte[] word) throws IOException {
    try (FileChannel file = FileChannel.open(command, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(word));
    }
  }
}

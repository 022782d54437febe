package io.weir.engine.podman.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The control group hierarchies of this machine as directories: one on cgroup v2, one for each controller on v1, and
 * both where v2 is mounted beside v1.
 */
final class CgroupTree {
  static final Path MOUNT = Path.of("/sys/fs/cgroup");

  private final Path mount;
  private final Optional<Path> unified;

  CgroupTree(Path mount) {
    this.mount = mount;
    this.unified = Stream.of(mount, mount.resolve("unified"))
        .filter(root -> Files.exists(root.resolve("cgroup.controllers"))).findFirst();
  }

  Path mount() {
    return mount;
  }

  /** Mount point of the v2 hierarchy. */
  Optional<Path> unified() {
    return unified;
  }

  /** Where a cgroup is in a controller's own v1 hierarchy; empty if it is not there. */
  Optional<Path> v1(String controller, String cgroup) {
    return below(mount.resolve(controller), cgroup).filter(group -> !unified.equals(Optional.of(mount)));
  }

  /** Where a cgroup is in the v2 hierarchy; empty if it is not there. */
  Optional<Path> v2(String cgroup) {
    return unified.flatMap(root -> below(root, cgroup));
  }

  /** Every directory of a cgroup, one for each hierarchy that has it. */
  List<Path> everywhere(String cgroup) {
    return hierarchies().stream().flatMap(root -> below(root, cgroup).stream()).toList();
  }

  private List<Path> hierarchies() {
    if (unified.equals(Optional.of(mount))) {
      return List.of(mount);
    }
    try (Stream<Path> roots = Files.list(mount)) {
      // cpu and cpuacct may be links to one hierarchy of both.
      return roots.filter(root -> Files.isDirectory(root, LinkOption.NOFOLLOW_LINKS)).toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }

  /**
   * A directory and those below it, to a depth, parents first. What is removed meanwhile is left out: cgroups come and go, not
   * only ours.
   */
  static List<Path> directories(Path top, int depth) {
    List<Path> found = new ArrayList<>();
    try {
      Files.walkFileTree(top, Set.of(), depth, new SimpleFileVisitor<>() {
        @Override
        public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
          found.add(directory);
          return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
          if (attributes.isDirectory()) {   // as deep as it goes
            found.add(file);
          }
          return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException gone) {
          return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException gone) {
          return FileVisitResult.CONTINUE;
        }
      });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  private static Optional<Path> below(Path root, String cgroup) {
    Path group = root.resolve(cgroup.replaceFirst("^/+", "")).normalize();
    return Optional.of(group).filter(path -> !path.equals(root) && path.startsWith(root) && Files.isDirectory(path));
  }
}

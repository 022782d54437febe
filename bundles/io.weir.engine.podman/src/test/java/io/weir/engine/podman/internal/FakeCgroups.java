package io.weir.engine.podman.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Directories that look like cgroup hierarchies. */
final class FakeCgroups {
  final Path mount;

  private FakeCgroups(Path mount) {
    this.mount = mount;
  }

  static FakeCgroups v2(Path mount) throws IOException {
    Files.writeString(mount.resolve("cgroup.controllers"), "memory pids");
    return new FakeCgroups(mount);
  }

  /** v1 with an empty v2 beside it. */
  static FakeCgroups hybrid(Path mount) throws IOException {
    Files.writeString(Files.createDirectories(mount.resolve("unified")).resolve("cgroup.controllers"), "");
    return new FakeCgroups(mount);
  }

  /** @param group below the mount */
  Path with(String group, Map<String, String> files) throws IOException {
    Path directory = Files.createDirectories(mount.resolve(group));
    for (Map.Entry<String, String> file : files.entrySet()) {
      Files.writeString(directory.resolve(file.getKey()), file.getValue());
    }
    return directory;
  }

  CgroupTree tree() {
    return new CgroupTree(mount);
  }
}

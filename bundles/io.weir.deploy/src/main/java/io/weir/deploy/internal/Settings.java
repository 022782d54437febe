package io.weir.deploy.internal;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Where things are, and how much is allowed.
 *
 * @param books what is noted about packages, and what is being installed
 * @param trustMayBeMissing whether a missing folder of keys means that nobody is trusted in particular
 * @param drop empty if no folder is watched
 */
record Settings(Path books, Path trust, boolean trustMayBeMissing, Optional<Path> drop, long maxBytes, Duration readyTimeout) {

  static Settings of(DeployConfig config, Path data) {
    require("max.mib", config.max_mib(), 1, 1 << 20);
    require("ready.timeout.seconds", config.ready_timeout_seconds(), 1, 3600);
    boolean none = config.drop_folder().strip().equals("none");
    return new Settings(data.resolve("packages"), folder("trust.folder", config.trust_folder(), data.resolve("trust.d")),
        config.trust_folder().isBlank(),
        none ? Optional.empty() : Optional.of(folder("drop.folder", config.drop_folder(), data.resolve("packages.d"))),
        (long) config.max_mib() << 20, Duration.ofSeconds(config.ready_timeout_seconds()));
  }

  private static void require(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(DeployConfig.PID + ": " + key + ": '" + value + "' is not allowed; use " + min + ".." + max);
    }
  }

  private static Path folder(String key, String value, Path otherwise) {
    Path folder = value.isBlank() ? otherwise : Path.of(value.strip());
    if (!folder.isAbsolute()) {
      throw new IllegalArgumentException(DeployConfig.PID + ": " + key + ": '" + value + "' is not allowed; use an absolute path");
    }
    return folder;
  }
}

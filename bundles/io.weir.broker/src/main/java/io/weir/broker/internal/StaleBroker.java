package io.weir.broker.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A broker that a killed gateway left behind. It holds the port and the data, so it must go first. */
final class StaleBroker {
  private static final Logger LOG = LoggerFactory.getLogger(StaleBroker.class);
  private static final long GRACE_SECONDS = 5;

  private StaleBroker() {}

  /** Ends the process the pid file names, if it still is a broker that runs in this directory. */
  static void end(BrokerFiles files) throws InterruptedException {
    Optional<ProcessHandle> left = read(files.pidFile()).filter(pid -> isOurs(pid, files.directory()))
        .flatMap(ProcessHandle::of);
    if (left.isEmpty()) {
      return;
    }
    LOG.warn("Ending mosquitto (pid {}), left behind by an earlier gateway", left.get().pid());
    left.get().destroy();
    if (!gone(left.get())) {
      left.get().destroyForcibly();
      gone(left.get());
    }
  }

  private static boolean gone(ProcessHandle process) throws InterruptedException {
    try {
      process.onExit().get(GRACE_SECONDS, TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException | TimeoutException e) {
      return !process.isAlive();
    }
  }

  private static Optional<Long> read(Path pidFile) {
    try {
      return Optional.of(Long.parseLong(Files.readString(pidFile).strip()));
    } catch (IOException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** A pid is used again, so the number alone proves nothing. */
  private static boolean isOurs(long pid, Path directory) {
    try {
      Path process = Path.of("/proc", Long.toString(pid));
      String commandLine = Files.readString(process.resolve("cmdline"));
      return commandLine.contains("mosquitto") && commandLine.contains(BrokerFiles.CONFIGURATION)
          && Files.isSameFile(process.resolve("cwd"), directory);
    } catch (IOException e) {
      return false;
    }
  }
}

package io.weir.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Comparator;
import java.util.stream.Stream;

/** The distribution without Weir's bundles: the same framework, platform bundles and JVM options. */
final class BarePlatform implements AutoCloseable {
  private final Path home;
  private final Process process;
  private final double millisToOpen;

  private BarePlatform(Path home, Process process, double millisToOpen) {
    this.home = home;
    this.process = process;
    this.millisToOpen = millisToOpen;
  }

  static BarePlatform start() throws Exception {
    Path home = Files.createTempDirectory(Files.createDirectories(Path.of(System.getProperty("weir.work"))), "bare");
    Path dist = Path.of(System.getProperty("weir.dist"));
    try (Stream<Path> files = Files.walk(dist)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path relative = dist.relativize(file);
        if (relative.startsWith("lib/cli") || relative.startsWith("bundle/weir") || relative.startsWith("examples")) {
          continue;
        }
        Files.createDirectories(home.resolve(relative).getParent());
        Files.copy(file, home.resolve(relative), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    ProcessBuilder builder = new ProcessBuilder(home.resolve("bin/weir-gateway").toString());
    builder.environment().putAll(Map.of("WEIR_DATA", home + "/data", "WEIR_RUN", home + "/run",
        "WEIR_HTTP_PORT", Integer.toString(port), "WEIR_LOG", "file"));
    long began = System.nanoTime();
    Process process = builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    while (!Baseline.accepts(address)) {
      if (!process.isAlive() || Baseline.millisSince(began) > 60_000) {
        process.destroyForcibly();
        throw new IOException("the bare platform opened no port " + port);
      }
      Thread.sleep(10);
    }
    return new BarePlatform(home, process, Baseline.millisSince(began));
  }

  double millisToOpen() {
    return millisToOpen;
  }

  long pid() {
    return process.pid();
  }

  @Override
  public void close() throws Exception {
    process.destroy();
    process.waitFor();
    try (Stream<Path> files = Files.walk(home)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}

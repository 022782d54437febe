package io.weir.bench;

import io.weir.itest.Gateway;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What a call costs that finds its function at rest, rung by rung, against Podman asked by hand on the same machine in the
 * same run; what resting costs a gateway with many functions; and what happens when many wake up at once.
 *
 * <p>Times are those of one request at the front door ({@link Wire}). Functions are of two kinds: {@code static}, a C program
 * of 30 kB that knows nothing but HTTP, and {@code python}, the thermo-alert example. No figure fails the run, but a
 * request that is not answered with 200 does.
 */
final class ColdStart {
  /** The gateway must not measure its functions while we do; freezing and everything else are as installed. */
  private static final Map<String, String> SETTINGS = Map.of("io.weir.pool/calibrate", "false");

  private ColdStart() {}

  public static void main(String[] arguments) throws Exception {
    List<String> all = List.of(arguments);
    boolean quick = all.contains("--quick");
    Report report = new Report("cold-start");
    try (Gateway gateway = Gateway.start("bench-cold", SETTINGS)) {
      Functions functions = new Functions(gateway);
      functions.makeImages();
      try (BarePodman podman = new BarePodman(gateway)) {
        new Rungs(functions, podman, report, quick).run();
        new Burst(functions, podman, report, quick).run();
        new Fleet(functions, podman.cgroup(), report, quick).run();
      }
      report.print(System.out);
    }
    int json = all.indexOf("--json");
    if (json >= 0) {
      report.write(Path.of(all.get(json + 1)));
    }
  }
}

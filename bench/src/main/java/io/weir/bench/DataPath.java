package io.weir.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What the kernel's part in a request is worth: the way to a function, its meter, and the adaptors of MQTT. In all of it the
 * load generator has processor 0, and whatever serves it processor 1.
 */
final class DataPath {
  static final String PINNING = "load generator (wrk, ab, pace, sensor) on processor " + Loads.GENERATOR
      + "; function, proxies, broker, gateway, adaptors on processor " + Loads.SERVER;

  private DataPath() {}

  /** What can be left out of a run. */
  private enum Part {
    ROUTE, METER, ADAPTOR;

    static List<Part> of(List<String> arguments) {
      int only = arguments.indexOf("--only");
      if (only < 0) {
        return List.of(values());
      }
      try {
        return Arrays.stream(arguments.get(only + 1).toUpperCase(Locale.ROOT).split(",")).map(Part::valueOf).toList();
      } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
        System.err.println("--only takes some of route,meter,adaptor");
        System.exit(2);
        throw e;
      }
    }

    void measure(Report report, boolean quick) throws Exception {
      switch (this) {
        case ROUTE -> new Ways(report, quick).run();
        case METER -> {
          try (Device device = new Device(); Metering metering = new Metering(new Loads(device::exec))) {
            metering.measure(report, quick ? 3 : 26, 1);
          }
        }
        case ADAPTOR -> new Adaptors(report, quick).run();
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    List<String> all = List.of(arguments);
    Report report = new Report("data-path").setUp(PINNING);
    List<String> took = new ArrayList<>();
    try {
      for (Part part : Part.of(all)) {
        long began = System.nanoTime();
        part.measure(report, all.contains("--quick"));
        took.add(part.name().toLowerCase(Locale.ROOT) + " " + Math.round(Baseline.millisSince(began) / 1000) + " s");
      }
    } finally {
      report.print(System.out);   // what there is, if a part failed
      System.out.println("took: " + String.join(", ", took));
    }
    int json = all.indexOf("--json");
    if (json >= 0) {
      report.write(Path.of(all.get(json + 1)));
    }
  }
}

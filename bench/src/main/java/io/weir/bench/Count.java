package io.weir.bench;

import io.weir.itest.Gateway;
import io.weir.itest.Programs;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether the meter in the kernel and the function count the same: a million requests of every kind from a device in the
 * LAN, some of them over a line that loses one packet in a hundred each way. What the meter may count beyond the function
 * are requests whose sender went away in the middle of the head; the function never sees those whole.
 */
final class Count {
  private static final String NAME = "counted";
  private static final Pattern BROKEN = Pattern.compile("broken ([0-9]+) whole ([0-9]+)");
  private static final String LOSS = """
      table inet loss {
        chain out { type filter hook output priority 0; numgen random mod 100 < 1 drop; }
        chain in { type filter hook input priority 0; numgen random mod 100 < 1 drop; }
      }
      """;

  private Count() {}

  public static void main(String[] arguments) throws Exception {
    List<String> all = List.of(arguments);
    long requests = all.contains("--quick") ? 20_000 : 980_000;
    long lossy = requests / 49;
    Report report = new Report("count");
    try (Device device = new Device();
        Gateway gateway = Gateway.start("bench-count", Map.of("io.weir.pool/calibrate", "false",
            "io.weir.activator/interfaces", device.port()))) {
      gateway.importProbe();
      gateway.deploy(Baseline.function(NAME, "concurrency: 1000\n    rest: running"));
      gateway.post("/function/" + NAME + "/", "");
      String port = Integer.toString(Functions.awaitWay(gateway, NAME, "ebpf"));
      String mix = Programs.compile("mix").toString();
      add(report, "plain", gateway, () -> device.exec(mix, Device.GATEWAY, port, Long.toString(requests)));
      device.exec("bash", "-c", "nft -f - <<<'" + LOSS + "'");
      add(report, "lossy", gateway, () -> device.exec(mix, Device.GATEWAY, port, Long.toString(lossy)));
    }
    report.print(System.out);
    int json = all.indexOf("--json");
    if (json >= 0) {
      report.write(Path.of(all.get(json + 1)));
    }
  }

  private interface Run {
    String go() throws Exception;
  }

  private static void add(Report report, String line, Gateway gateway, Run run) throws Exception {
    long metered = metered(gateway);
    long counted = counted(gateway);
    Matcher said = BROKEN.matcher(run.go());
    if (!said.find()) {
      throw new IllegalStateException("mix did not say what it did");
    }
    long broken = Long.parseLong(said.group(1));
    counted = counted(gateway) - counted - 1;   // the first question counts for the second
    metered = metered(gateway) - metered - 2;
    report.add("sent_" + line, "", new double[] {Double.parseDouble(said.group(2))}, "counted by the function",
        new double[] {counted});
    report.add("metered_" + line, "", new double[] {metered}, "counted by the function, and " + broken
        + " heads that broke off", new double[] {counted + broken},
        new Report.Target("equal", (value, reference) -> value.equals(reference)));
  }

  private static long counted(Gateway gateway) {
    return Long.parseLong(gateway.get("/function/" + NAME + "/count").body());
  }

  @SuppressWarnings("unchecked")
  private static long metered(Gateway gateway) {
    return gateway.list("/api/v1/traffic", "functions").stream().filter(function -> NAME.equals(function.get("function")))
        .mapToLong(function -> ((Number) function.get("requests")).longValue()).sum();
  }
}

package io.weir.bench;

import io.weir.itest.Gateway;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a device does to a server, and what that costs. The load generator runs on processor 0, whatever serves it is to be
 * pinned to processor 1.
 */
final class Loads {
  static final int GENERATOR = 0;
  static final int SERVER = 1;

  private static final Pattern RPS = Pattern.compile("Requests/sec:\\s+([0-9.]+)");
  private static final Pattern REQUESTS = Pattern.compile("([0-9]+) requests in ");
  private static final Pattern P50 = Pattern.compile("50%\\s+([0-9.]+)(us|ms|s)");
  private static final Pattern AB_RPS = Pattern.compile("Requests per second:\\s+([0-9.]+)");
  private static final Pattern TIMES = Pattern.compile("([0-9]+)m([0-9.]+)s ([0-9]+)m([0-9.]+)s\\s*$");
  private static final double UNIT = 100_000;

  private final Shell shell;
  private final Path pace;

  /**
   * What a run showed.
   *
   * @param cpu CPU seconds for 100,000 requests, load generator included
   */
  record Result(double perSecond, double p50, double cpu) {}

  /** Where the load generator runs. */
  interface Shell {
    String exec(String... command) throws Exception;
  }

  Loads(Shell shell) throws Exception {
    this.shell = shell;
    this.pace = compile("pace");
  }

  /** A program of src/main/c. */
  static Path compile(String name) throws Exception {
    Path work = Files.createDirectories(Path.of(System.getProperty("weir.work")));
    Path source = work.resolve(name + ".c");
    try (InputStream in = Loads.class.getResourceAsStream("/" + name + ".c")) {
      if (in == null) {
        throw new IOException("no " + name + ".c in the class path");
      }
      Files.write(source, in.readAllBytes());
    }
    Gateway.exec("gcc", "-O2", "-D_GNU_SOURCE", "-o", work.resolve(name).toString(), source.toString());
    return work.resolve(name);
  }

  /** 16 connections that stay open, as fast as it goes. */
  Result keepAlive(String url, Collection<Long> servers, int seconds) throws Exception {
    double before = Cpu.seconds(servers);
    String said = timed("wrk -t1 -c16 -d" + seconds + "s --latency " + url);
    double cpu = Cpu.seconds(servers) - before + generator(said);
    requireGood(said, "Non-2xx", "Socket errors");
    return new Result(number(RPS, said), micros(said), cpu / number(REQUESTS, said) * UNIT);
  }

  /** 8 at a time, a connection for each request. */
  Result newConnections(String url, Collection<Long> servers, int requests) throws Exception {
    double before = Cpu.seconds(servers);
    String said = timed("ab -q -c8 -n" + requests + " " + url);
    double cpu = Cpu.seconds(servers) - before + generator(said);
    requireGood(said, "Non-2xx");
    return new Result(number(AB_RPS, said), Double.NaN, cpu / requests * UNIT);
  }

  /** Median and 99th percentile in microseconds at a fixed rate. */
  double[] paced(String host, int port, int rate, int seconds) throws Exception {
    String[] said = timed(pace + " " + host + " " + port + " " + rate + " 16 " + seconds).split("\\s+");
    return new double[] {Double.parseDouble(said[0]), Double.parseDouble(said[1])};
  }

  /** What the shell's times prints last is what its children took. */
  private String timed(String command) throws Exception {
    return shell.exec("bash", "-c", "taskset -c " + GENERATOR + " " + command + " 2>&1 && times");
  }

  private static double generator(String said) {
    Matcher found = TIMES.matcher(said);
    if (!found.find()) {
      throw new IllegalStateException("no times: " + said);
    }
    return 60 * Double.parseDouble(found.group(1)) + Double.parseDouble(found.group(2))
        + 60 * Double.parseDouble(found.group(3)) + Double.parseDouble(found.group(4));
  }

  private static void requireGood(String said, String... signs) {
    for (String sign : signs) {
      if (said.contains(sign)) {
        throw new IllegalStateException("the load generator met failures: " + said);
      }
    }
  }

  private static double number(Pattern pattern, String text) {
    Matcher found = pattern.matcher(text);
    if (!found.find()) {
      throw new IllegalStateException("no " + pattern + " in: " + text);
    }
    return Double.parseDouble(found.group(1));
  }

  private static double micros(String wrk) {
    Matcher found = P50.matcher(wrk);
    if (!found.find()) {
      throw new IllegalStateException("wrk printed no median: " + wrk);
    }
    return Double.parseDouble(found.group(1)) * Map.of("us", 1.0, "ms", 1e3, "s", 1e6).get(found.group(2));
  }
}

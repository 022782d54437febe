package io.weir.bench;

import io.weir.bench.replay.Device;
import io.weir.bench.replay.Live;
import io.weir.bench.replay.Outcome;
import io.weir.bench.replay.Simulation;
import io.weir.bench.replay.Trace;
import io.weir.function.Rung;
import io.weir.itest.Gateway;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One day of a trace in minutes against a gateway's containers, beside the simulation of the same day. The
 * policies are the simulation's; what they decide, the gateway is told ({@code PUT …/rung}), and whether a
 * call was cold, it says ({@code Server-Timing: cold}). Time runs faster for policies and simulation alike:
 * with a factor N a start that takes 100 ms takes N times as long in the trace. Policies on both sides take a
 * start for as long as was measured before; the simulation is told what one took on average in the policy's
 * run, that a caller began and that began ahead of calls, and what a call took. Every policy has functions of
 * its own, and all run at once.
 */
final class LiveReplay {
  /** Who is warm runs: a thaw would be told as a wait, too. */
  private static final Map<String, String> SETTINGS = Map.of("io.weir.pool/calibrate", "false",
      "io.weir.pool/freeze.after.millis", "600000");
  /** What a function is taken to hold; the program that stands for it holds less than one of them. */
  private static final Map<String, String> MIB = Map.of("image", "0", "created", "0.3", "frozen", "32");
  private static final int SAMPLES = 7;
  private static final int WARM_CALLS = 400;
  /** Of which the gateway serves so many at a time. */
  private static final int MOVES = 8;
  /** Longer than a stop takes; whoever still waits then asks again. */
  private static final Duration MOVE = Duration.ofSeconds(3);
  private static final String COLD = "cold;dur=";
  private static final double AGREE = 0.02;
  /** Between the policies, lest the same call has all of them start a container at the same moment. */
  private static final long APART_NANOS = 1_300_000_000L;

  private final Trace trace;
  private final List<String> policies;
  private final double seconds;
  private final double price;
  private final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
  private final ExecutorService movers = Executors.newFixedThreadPool(MOVES);

  LiveReplay(Trace trace, List<String> policies, double seconds, double price) {
    this.trace = trace;
    this.policies = policies;
    this.seconds = seconds;
    this.price = price;
  }

  /** Rows for {@link Report}: for each policy the share of cold calls, live and simulated. */
  void run(Report report) throws Exception {
    try (Gateway gateway = Gateway.start("bench-live", SETTINGS)) {
      gateway.importProbe();
      Functions functions = new Functions(gateway);
      double[] warm = new double[1];
      Device real = Device.of(measured(functions, warm), price, 1e6);
      double factor = (trace.end() - trace.begin()) / 1e3 / seconds;
      Device device = real.compressed(factor);
      Trace working = trace.working((int) Math.round(warm[0] * factor));
      report.setUp(String.format(Locale.ROOT,
          "%s, %d calls, in %.0f s, so %.0f times as fast; %s; a warm call takes %.1f ms", trace.name(),
          trace.calls().size(), seconds, factor, real.rungs(), warm[0]));
      StringBuilder yaml = new StringBuilder();
      for (String policy : policies) {
        for (String function : trace.functions()) {
          yaml.append(Functions.yaml(name(policy, function), Baseline.PROBE, "rest: frozen\n    idle: 24h"));
        }
      }
      functions.deploy(yaml.toString());
      for (String policy : policies) {
        for (String function : trace.functions()) {
          functions.rest(name(policy, function), "created");
        }
      }
      Map<String, Live.Result> results = live(gateway, working, device, factor);
      double before = device.rungs().get(device.rungs().size() - 2).resumeSeconds() * 1e3;
      double called = average(results.values(), Live.Result::waits, before);
      double ahead = average(results.values(), Live.Result::prewarms, called);
      report.add("live_start", "ms", new double[] {called / factor}, "measured before",
          new double[] {before / factor});
      report.add("live_prewarm", "ms", new double[] {ahead / factor}, "measured before",
          new double[] {before / factor});
      double work = results.values().stream().mapToDouble(Live.Result::work).average().orElseThrow();
      report.add("live_work", "ms", new double[] {work / factor}, "measured before", new double[] {warm[0]});
      for (Map.Entry<String, Live.Result> each : results.entrySet()) {
        // Its own starts: what they begin from differs. Who stops at once is often called while it still does.
        List<Live.Result> own = List.of(each.getValue());
        Device met = device.starting(average(own, Live.Result::waits, called) / 1e3,
            average(own, Live.Result::prewarms, ahead) / 1e3);
        Trace worked = trace.working((int) Math.round(each.getValue().work()));
        add(report, each.getKey(), each.getValue(), Simulation.of(each.getKey(), worked, met, device).run(),
            factor);
      }
    } finally {
      movers.shutdownNow();
    }
  }

  private static double average(Collection<Live.Result> results, Function<Live.Result, List<Double>> of,
      double otherwise) {
    return results.stream().flatMap(result -> of.apply(result).stream()).mapToDouble(each -> each).average()
        .orElse(otherwise);
  }

  private static void add(Report report, String policy, Live.Result live, Outcome simulated, double factor) {
    String prefix = "live_" + policy.replace('-', '_');
    Report.Target agrees = new Report.Target("within 0.02",
        (value, reference) -> Math.abs(value - reference) <= AGREE && live.failed() == 0);
    report.add(prefix + "_cold_share", "share", new double[] {live.coldShare()}, "simulated",
        new double[] {simulated.coldShare()}, agrees);
    for (int percent : new int[] {50, 99}) {
      report.add(prefix + "_felt_p" + percent, "ms", new double[] {live.felt(percent / 100.0) / factor},
          "simulated", new double[] {simulated.felt(percent / 100.0) / factor});
    }
    report.add(prefix + "_memory", "MiB·s", new double[] {live.memory()}, "simulated",
        new double[] {simulated.memory()});
    report.add(prefix + "_starts", "starts", new double[] {live.starts()}, "simulated",
        new double[] {simulated.starts()});
    if (live.failed() > 0) {
      report.add(prefix + "_failed", "calls", new double[] {live.failed()}, "simulated", new double[] {0});
    }
  }

  private static String name(String policy, String function) {
    return policy + "-" + function;
  }

  /**
   * Rungs as {@link Device#of} reads them: medians of what a call waits longer than a warm one on this
   * device.
   */
  private String measured(Functions functions, double[] warm) throws Exception {
    functions.deploy(Functions.yaml("measured", Baseline.PROBE, "rest: frozen"));
    double[] calls = new double[WARM_CALLS];
    for (int i = 0; i < calls.length; i++) {
      calls[i] = functions.call("measured");
    }
    warm[0] = Report.median(calls);
    StringBuilder rungs = new StringBuilder();
    for (String rung : List.of("image", "created", "frozen")) {
      double[] took = new double[SAMPLES];
      for (int i = 0; i < SAMPLES; i++) {
        functions.rest("measured", rung);
        took[i] = Math.max(0.1, functions.call("measured") - warm[0]);
      }
      rungs.append(rungs.length() == 0 ? "" : ",").append(rung).append('=')
          .append(String.format(Locale.ROOT, "%.2f", Report.median(took))).append('/').append(MIB.get(rung));
    }
    functions.remove("measured");
    return rungs.toString();
  }

  private Map<String, Live.Result> live(Gateway gateway, Trace working, Device device, double factor)
      throws Exception {
    ExecutorService loops = Executors.newFixedThreadPool(policies.size());
    try {
      long began = System.nanoTime() + 500_000_000L;
      Map<String, Future<Live.Result>> running = new LinkedHashMap<>();
      for (String policy : policies) {
        Clock clock = new Clock(began + running.size() * APART_NANOS, working.begin(), factor);
        Containers containers = new Containers(gateway, policy, device, clock);
        Callable<Live.Result> loop = () -> Live.of(policy, working, device, containers, clock).run();
        running.put(policy, loops.submit(loop));
      }
      Map<String, Live.Result> results = new LinkedHashMap<>();
      for (Map.Entry<String, Future<Live.Result>> each : running.entrySet()) {
        results.put(each.getKey(), each.getValue().get());
      }
      return results;
    } finally {
      loops.shutdownNow();
    }
  }

  /** Time of the trace, which runs faster, and the loop's post. */
  private static final class Clock implements Live.Pace {
    private final long began;
    private final long begin;
    private final double factor;
    private final BlockingQueue<Runnable> post = new LinkedBlockingQueue<>();

    Clock(long began, long begin, double factor) {
      this.began = began;
      this.begin = begin;
      this.factor = factor;
    }

    void bring(Runnable news) {
      post.add(news);
    }

    @Override
    public long now() {
      return begin + (long) ((System.nanoTime() - began) / 1e6 * factor);
    }

    @Override
    public @Nullable Runnable next(long until) {
      long nanos = until == Long.MAX_VALUE ? TimeUnit.MINUTES.toNanos(2)
          : (long) ((until - now()) / factor * 1e6);
      try {
        return post.poll(Math.max(0, nanos), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
    }
  }

  /** The functions of one policy. */
  private final class Containers implements Live.Containers {
    private final Gateway gateway;
    private final List<String> names = new ArrayList<>();
    private final Device device;
    private final Clock clock;

    Containers(Gateway gateway, String policy, Device device, Clock clock) {
      this.gateway = gateway;
      this.device = device;
      this.clock = clock;
      trace.functions().forEach(function -> names.add(name(policy, function)));
    }

    @Override
    public void call(int function, Consumer<Live.Answer> answered) {
      String url = "http://127.0.0.1:" + gateway.httpPort + "/function/" + names.get(function) + "/";
      HttpRequest request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(60)).build();
      client.sendAsync(request, HttpResponse.BodyHandlers.discarding()).whenComplete((response, failed) -> {
        boolean sound = failed == null && response.statusCode() == 200;
        String timing = sound ? response.headers().firstValue("Server-Timing").orElse("") : "";
        double waited = timing.startsWith(COLD) ? Double.parseDouble(timing.substring(COLD.length())) : 0;
        clock.bring(() -> answered.accept(new Live.Answer(!sound, waited * clock.factor)));
      });
    }

    @Override
    public void move(int function, int rung, BooleanSupplier wanted, Runnable done) {
      movers.execute(() -> {
        try {
          if (wanted.getAsBoolean()) {
            Rung to = device.rungs().get(rung).rung();
            String body = "{\"rung\":\"" + (to == Rung.FROZEN ? Rung.RUNNING : to).label() + "\"}";
            HttpRequest request = gateway.request("/api/v1/functions/" + names.get(function) + "/rung")
                .header("Content-Type", "application/json").timeout(MOVE)
                .PUT(HttpRequest.BodyPublishers.ofString(body)).build();
            client.send(request, HttpResponse.BodyHandlers.discarding());
          }
        } catch (HttpTimeoutException e) {
          // It is on its way.
        } catch (IOException e) {
          System.err.println("replay: " + names.get(function) + " was not moved: " + e);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        } finally {
          clock.bring(done);
        }
      });
    }
  }
}

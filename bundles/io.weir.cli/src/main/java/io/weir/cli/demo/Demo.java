package io.weir.cli.demo;

import io.weir.cli.gateway.EventStream;
import io.weir.cli.gateway.EventStream.Event;
import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.gateway.Publisher;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.Durations;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Terminal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.jr.ob.JSON;

/** Publishes this machine's sensors, and prints what becomes of each reading as it happens. */
public final class Demo implements AutoCloseable {
  private static final long PERIOD_MILLIS = 500;
  private static final long BROKER_PATIENCE_NANOS = 20_000_000_000L;
  private static final int REMEMBERED = 4096;

  private final Gateway gateway;
  private final Terminal terminal;
  private final EventLines lines;
  private final String place;
  private final String run = "live-" + UUID.randomUUID().toString().substring(0, 8);
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> daemon(task, "weir-sensors"));
  private final Map<String, String> readings = Collections.synchronizedMap(new LinkedHashMap<>() {
    private static final long serialVersionUID = 1L;

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
      return size() > REMEMBERED;
    }
  });
  private final Tally tally = new Tally();
  private @Nullable Publisher publisher;
  private @Nullable EventStream events;
  private volatile boolean closed;
  private volatile @Nullable String trouble;
  private volatile long brokerWellAt = System.nanoTime();
  private long sequence;

  public Demo(Gateway gateway, Terminal terminal, String hostName) {
    this.gateway = gateway;
    this.terminal = terminal;
    this.lines = new EventLines(terminal::paint);
    this.place = Sensors.name(hostName);
  }

  public void start(Sensors sensors) {
    EventStream stream = gateway.events(false);
    events = stream;
    daemon(() -> follow(stream), "weir-events").start();
    Publisher connected = Publisher.connect(gateway, null, null);
    publisher = connected;
    connected.subscribe("alerts/" + place + "/#", this::alert);
    timer.scheduleAtFixedRate(() -> publish(connected, sensors), 0, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Whether a container has answered one of our own readings. */
  public boolean answered() {
    return tally.summary().answers > 0;
  }

  /** Why nothing can come any more, if so. */
  public @Nullable String trouble() {
    return trouble;
  }

  public Summary summary() {
    return tally.summary();
  }

  private void publish(Publisher connected, Sensors sensors) {
    try {
      sensors.read(System.nanoTime()).forEach((name, reading) -> {
        String topic = "sensors/" + place + "/" + name;
        String id = run + "-" + sequence++;
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("value", reading.value());
        if (!reading.unit().isEmpty()) {
          message.put("unit", reading.unit());
        }
        message.put("timestamp", Instant.now().toString());
        readings.put(id, reading.value() + (reading.unit().isEmpty() ? "" : " " + reading.unit()));
        tally.sent();
        connected.publish(topic, JSON.std.asString(message).getBytes(StandardCharsets.UTF_8), 1, "application/json",
            Map.of("specversion", "1.0", "id", id, "source", "weir-run", "type", "io.weir.reading"), error -> {
              heardFromBroker(error);
            });
      });
    } catch (RuntimeException e) {
      // Else the executor would stop the readings and tell nobody.
      trouble = "the sensors cannot be read: " + e;
    }
  }

  /** A broker that restarts is no trouble; one that stays away is. */
  private void heardFromBroker(@Nullable String error) {
    long now = System.nanoTime();
    if (error == null) {
      brokerWellAt = now;
    } else if (!closed && now - brokerWellAt > BROKER_PATIENCE_NANOS) {
      trouble = "the broker takes no readings any more: " + error;
    }
  }

  private void follow(EventStream stream) {
    for (Optional<Event> event = stream.next(); event.isPresent(); event = stream.next()) {
      show(event.get());
    }
    if (!closed) {
      trouble = "the gateway ended its stream of events";
    }
  }

  private void show(Event event) {
    String invocation = Json.text(event.data(), "invocation");
    boolean ours = invocation.startsWith(run + "-");
    if (ours && event.type().equals("ended")) {
      tally.ended(event.data());
    }
    if (terminal.json()) {
      Map<String, Object> record = new LinkedHashMap<>();
      record.put("event", event.type());
      record.putAll(event.data());
      terminal.record(record);
      return;
    }
    String value = ours ? readings.get(invocation.replaceFirst("^(" + run + "-\\d+).*", "$1")) : null;
    if (event.type().equals("accepted") && value != null) {
      Map<String, Object> data = event.data();
      terminal.line(EventLines.clock(Json.text(data, "at")) + "  " + terminal.paint(Colour.DIM, EventLines.pad("message", 12)) + "  "
          + EventLines.pad(Json.text(data, "function"), 14) + "  " + EventLines.pad(Json.text(data, "subject"), 34) + " " + value);
    } else {
      terminal.line(lines.line(event));
    }
  }

  private void alert(String topic, byte[] payload) {
    if (!terminal.json()) {
      String text = new String(payload, 0, Math.min(payload.length, 300), StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}+", " ");
      terminal.line(EventLines.clock("") + "  " + terminal.paint(Colour.YELLOW, EventLines.pad("alert", 12)) + "  "
          + EventLines.pad("", 14) + "  " + topic + "  " + text);
    }
  }

  @Override
  public void close() {
    closed = true;
    timer.shutdownNow();
    // The readings under way would else look lost in the summary.
    tally.awaitOutcomes(1000);
    EventStream stream = events;
    if (stream != null) {
      stream.close();
    }
    Publisher connected = publisher;
    if (connected != null) {
      try {
        connected.close();
      } catch (Failure e) {
        // The broker is going away with the gateway.
      }
    }
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /** @param medianMillis from arrival at the gateway to the outcome */
  public record Summary(long messages, long outcomes, long answers, long published, Map<String, Long> results, long coldStarts,
      double coldStartMillis, double medianMillis) {

    public List<String> lines() {
      List<String> lines = new ArrayList<>();
      lines.add(messages + " readings sent, " + outcomes + " outcomes: " + answers + " answered by a container ("
          + published + " with something to say)");
      results.entrySet().stream().filter(r -> !r.getKey().equals("replied") && !r.getKey().equals("no-content"))
          .forEach(r -> lines.add(r.getValue() + " " + r.getKey()));
      lines.add(coldStarts + " readings waited for a cold start" + (coldStarts > 0 ? ", at most " + Durations.millis(coldStartMillis) : "")
          + "; median latency " + Durations.millis(medianMillis));
      return lines;
    }
  }

  private static final class Tally {
    private final Map<String, Long> results = new HashMap<>();
    private final List<Double> latencies = new ArrayList<>();
    private long messages;
    private long coldStarts;
    private double coldStartMillis;

    synchronized void sent() {
      messages++;
    }

    synchronized void awaitOutcomes(long millis) {
      long deadline = System.nanoTime() + millis * 1_000_000;
      try {
        for (long left = millis; left > 0 && latencies.size() < messages; left = (deadline - System.nanoTime()) / 1_000_000) {
          wait(left);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    synchronized void ended(Map<String, Object> data) {
      notifyAll();
      results.merge(Json.text(data, "result"), 1L, Long::sum);
      latencies.add(Json.decimal(data, "tookMs"));
      double cold = Json.text(data, "coldFrom").equals("frozen") ? 0 : Json.decimal(data, "coldStartMs");
      if (cold > 0) {
        coldStarts++;
        coldStartMillis = Math.max(coldStartMillis, cold);
      }
    }

    synchronized Summary summary() {
      List<Double> sorted = latencies.stream().sorted().toList();
      long replied = results.getOrDefault("replied", 0L);
      return new Summary(messages, latencies.size(), replied + results.getOrDefault("no-content", 0L), replied,
          Map.copyOf(results), coldStarts, coldStartMillis, sorted.isEmpty() ? 0 : sorted.get(sorted.size() / 2));
    }
  }
}

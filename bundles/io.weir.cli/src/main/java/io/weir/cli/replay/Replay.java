package io.weir.cli.replay;

import io.weir.cli.gateway.EventStream;
import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Progress;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import tools.jackson.jr.ob.JSON;

/** Sends rows as messages at a rate, never more than a few ahead of their outcomes, and waits for the last of them. */
public final class Replay {
  private static final long MOMENT_MILLIS = 500;
  private static final long LAST_ANSWERS_MILLIS = 5_000;

  /** Hands one message to a broker; the last argument hears null, or why the broker did not take it. */
  public interface Sender {
    void send(String topic, byte[] payload, int qos, @Nullable String contentType, Map<String, String> properties,
        java.util.function.Consumer<@Nullable String> done);
  }

  /**
   * @param rate messages per second; 0 for as fast as outcomes come
   * @param inFlight messages without an outcome, at most
   * @param patienceMillis how long nothing may be heard before what is open counts as missing
   */
  public record Plan(String topic, int qos, boolean raw, double rate, long limit, int inFlight, long patienceMillis) {}

  private final Gateway gateway;
  private final Sender sender;
  private final Plan plan;
  private final Ledger ledger;
  private final Progress progress;

  public Replay(Gateway gateway, Sender sender, Plan plan, Ledger ledger, Progress progress) {
    this.gateway = gateway;
    this.sender = sender;
    this.plan = plan;
    this.ledger = ledger;
    this.progress = progress;
  }

  public Ledger.Account run(Iterator<CsvColumn.Row> rows) throws InterruptedException {
    long nanos;
    Follower follower = new Follower();
    try {
      follower.start();
      long started = System.nanoTime();
      sendAll(rows, started);
      settle();
      nanos = System.nanoTime() - started;
      ledger.awaitAnswers(MOMENT_MILLIS, Math.min(LAST_ANSWERS_MILLIS, plan.patienceMillis()));
    } finally {
      follower.close();
    }
    return ledger.account(nanos / 1e9);
  }

  private void sendAll(Iterator<CsvColumn.Row> rows, long started) throws InterruptedException {
    int number = 0;
    while (rows.hasNext() && number < plan.limit()) {
      if (!ledger.awaitFewerThan(plan.inFlight(), plan.patienceMillis()) && !catchUp(plan.inFlight())) {
        return;
      }
      if (plan.rate() > 0) {
        long due = started + (long) (number * 1e9 / plan.rate());
        for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
          LockSupport.parkNanos(wait);
          if (Thread.interrupted()) {
            throw new InterruptedException();
          }
        }
      }
      send(rows.next(), number);
      number++;
      progress.to(number);
    }
  }

  private void send(CsvColumn.Row row, int number) {
    Map<String, String> attributes = new LinkedHashMap<>();
    attributes.put("specversion", "1.0");
    attributes.put("id", ledger.id(number));
    attributes.put("source", "weir-replay");
    attributes.put("type", "io.weir.replay");
    ledger.sent(number);
    sender.send(plan.topic(), payload(row), plan.qos(), plan.raw() ? "text/plain" : "application/json", attributes,
        error -> {
          if (error != null) {
            ledger.notSent(number, error);
          }
        });
  }

  byte[] payload(CsvColumn.Row row) {
    if (plan.raw()) {
      return row.value().getBytes(StandardCharsets.UTF_8);
    }
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("value", CsvColumn.isNumber(row.value()) ? Double.valueOf(row.value()) : row.value());
    if (!row.time().isEmpty()) {
      message.put("timestamp", row.time());
    }
    return JSON.std.asString(message).getBytes(StandardCharsets.UTF_8);
  }

  private void settle() throws InterruptedException {
    if (!ledger.awaitFewerThan(1, plan.patienceMillis())) {
      catchUp(1);
    }
  }

  /** The stream may have lost events while its reader was behind; what ended lately is also kept by the gateway. */
  private boolean catchUp(int limit) throws InterruptedException {
    for (String function : functions()) {
      try {
        Json.maps(gateway.get("/invocations?function=" + Gateway.encode(function) + "&limit=10000"), "invocations")
            .forEach(ledger::ended);
      } catch (Failure e) {
        // Without the gateway the outcomes stay missing, and the account says so: it is worth more than this failure.
      }
    }
    return ledger.awaitFewerThan(limit, TimeUnit.SECONDS.toMillis(1));
  }

  private List<String> functions() {
    return ledger.account(0).functions();
  }

  /** Follows the events on a thread of its own, and picks the stream up again when the gateway drops it. */
  private final class Follower implements AutoCloseable {
    private final AtomicReference<@Nullable EventStream> stream = new AtomicReference<>();
    private final Thread thread = new Thread(this::follow, "weir-replay-events");
    private volatile boolean closed;

    void start() {
      stream.set(gateway.events(false));
      thread.setDaemon(true);
      thread.start();
    }

    private void follow() {
      while (!closed) {
        EventStream events = stream.get();
        if (events == null) {
          return;
        }
        for (Optional<EventStream.Event> event = events.next(); event.isPresent(); event = events.next()) {
          ledger.heard(event.get());
        }
        if (!closed) {
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
          reopen();
        }
      }
    }

    private void reopen() {
      try {
        stream.set(gateway.events(true));
        if (closed) {
          close();
        }
      } catch (Failure e) {
        // The gateway is restarting, perhaps; the next round tries again until somebody closes us.
      }
    }

    @Override
    public void close() {
      closed = true;
      EventStream events = stream.getAndSet(null);
      if (events != null) {
        events.close();
      }
    }
  }
}

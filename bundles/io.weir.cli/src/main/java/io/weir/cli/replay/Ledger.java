package io.weir.cli.replay;

import io.weir.cli.gateway.EventStream.Event;
import io.weir.cli.gateway.Json;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * What became of each message of one run. Every message owes one outcome per function that listens to its topic; an
 * outcome that is told twice counts once. Thread-safe.
 */
public final class Ledger {
  private final String run;
  private final List<String> functions;
  private final LongSupplier ticker;
  private final Map<String, Integer> positions = new HashMap<>();
  private final Map<Integer, Message> open = new HashMap<>();
  private final Map<String, Long> results = new TreeMap<>();
  private final Map<String, Long> answers = new TreeMap<>();
  private final Map<String, Long> causes = new LinkedHashMap<>();
  private double[] latencies = new double[1024];
  private int measured;
  private long sent;
  private long settled;
  private long repeated;
  private long notSent;
  private double coldStartMillis;

  private static final class Message {
    private final long sentAt;
    private final boolean[] told;
    private int owed;

    Message(long sentAt, int owed) {
      this.sentAt = sentAt;
      this.told = new boolean[owed];
      this.owed = owed;
    }
  }

  /** @param functions those that listen, without repetition; at least one */
  public Ledger(String run, List<String> functions, LongSupplier ticker) {
    this.run = run;
    this.functions = List.copyOf(functions);
    this.ticker = ticker;
    for (int i = 0; i < functions.size(); i++) {
      positions.put(functions.get(i), i);
    }
  }

  public String id(int number) {
    return run + "-" + number;
  }

  public synchronized void sent(int number) {
    sent++;
    open.put(number, new Message(ticker.getAsLong(), functions.size()));
  }

  /** The broker did not take the message: nothing will become of it. */
  public synchronized void notSent(int number, String cause) {
    if (open.remove(number) != null) {
      sent--;
      notSent++;
      causes.merge("not sent: " + cause, 1L, Long::sum);
      notifyAll();
    }
  }

  /** Takes note of an event; those of other messages are passed over. */
  public void heard(Event event) {
    if (event.type().equals("ended")) {
      ended(event.data());
    } else if (event.type().equals("published")) {
      published(event.data());
    }
  }

  public synchronized void ended(Map<String, Object> data) {
    int number = number(Json.text(data, "invocation"));
    Integer position = positions.get(Json.text(data, "function"));
    if (number < 0 || position == null) {
      return;
    }
    Message message = open.get(number);
    if (message == null || message.told[position]) {
      repeated++;
      return;
    }
    message.told[position] = true;
    settled++;
    String result = Json.text(data, "result");
    results.merge(result, 1L, Long::sum);
    coldStartMillis = Math.max(coldStartMillis, Json.decimal(data, "coldStartMs"));
    if (!result.equals("replied") && !result.equals("no-content")) {
      String detail = Json.text(data, "detail");
      String status = Json.number(data, "status") > 0 ? " " + Json.number(data, "status") : "";
      causes.merge(Json.text(data, "function") + " " + result + status + (detail.isEmpty() ? "" : ": " + detail), 1L, Long::sum);
    }
    measure((ticker.getAsLong() - message.sentAt) / 1e6);
    if (--message.owed == 0) {
      open.remove(number);
    }
    notifyAll();
  }

  private synchronized void published(Map<String, Object> data) {
    if (number(Json.text(data, "invocation")) >= 0) {
      answers.merge(Json.text(data, "topic"), 1L, Long::sum);
      notifyAll();
    }
  }

  private void measure(double millis) {
    if (measured == latencies.length) {
      latencies = Arrays.copyOf(latencies, measured * 2);
    }
    latencies[measured++] = millis;
  }

  /** The number of one of our messages; the gateway may append what tells functions apart. */
  private int number(String invocation) {
    if (!invocation.startsWith(run + "-")) {
      return -1;
    }
    int end = run.length() + 1;
    while (end < invocation.length() && Character.isDigit(invocation.charAt(end))) {
      end++;
    }
    return end == run.length() + 1 || end - run.length() > 10 ? -1 : Integer.parseInt(invocation.substring(run.length() + 1, end));
  }

  public synchronized int inFlight() {
    return open.size();
  }

  public synchronized long settled() {
    return settled;
  }

  /** Waits until fewer than {@code limit} messages are open; false if nothing was settled for {@code patience}. */
  public synchronized boolean awaitFewerThan(int limit, long patienceMillis) throws InterruptedException {
    long seen = settled + notSent;
    long deadline = System.nanoTime() + patienceMillis * 1_000_000;
    while (open.size() >= limit) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return false;
      }
      wait(left);
      if (settled + notSent != seen) {
        seen = settled + notSent;
        deadline = System.nanoTime() + patienceMillis * 1_000_000;
      }
    }
    return true;
  }

  /**
   * Waits until every answer is published. Gives it up if none was ever published within a moment, as a function without an
   * output never does, or after the last one for {@code patience}.
   */
  public synchronized void awaitAnswers(long momentMillis, long patienceMillis) throws InterruptedException {
    long seen = published();
    long deadline = System.nanoTime() + (seen == 0 ? momentMillis : patienceMillis) * 1_000_000;
    while (published() < results.getOrDefault("replied", 0L)) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return;
      }
      wait(left);
      if (published() != seen) {
        seen = published();
        deadline = System.nanoTime() + patienceMillis * 1_000_000;
      }
    }
  }

  private long published() {
    return answers.values().stream().mapToLong(Long::longValue).sum();
  }

  /** The account as it stands. {@code missing} counts outcomes owed and not told. */
  public synchronized Account account(double seconds) {
    double[] sorted = Arrays.copyOf(latencies, measured);
    Arrays.sort(sorted);
    long owed = sent * functions.size();
    return new Account(sent, notSent, functions, results.getOrDefault("replied", 0L), results.getOrDefault("no-content", 0L),
        results.getOrDefault("rejected", 0L), results.getOrDefault("failed", 0L), results.getOrDefault("refused", 0L),
        owed - settled, repeated, Map.copyOf(answers), new ArrayList<>(causes.entrySet()), seconds,
        seconds > 0 ? sent / seconds : 0, percentile(sorted, 0.5), percentile(sorted, 0.99), coldStartMillis);
  }

  static double percentile(double[] sorted, double part) {
    return sorted.length == 0 ? 0 : sorted[(int) Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
  }

  /**
   * A run in numbers.
   *
   * @param missing outcomes that were owed and never told
   * @param repeated outcomes told more than once, as a delivery that is repeated would be
   * @param perSecond messages sent and settled, per second
   */
  public record Account(long sent, long notSent, List<String> functions, long answered, long noContent, long rejected,
      long failed, long refused, long missing, long repeated, Map<String, Long> answers,
      List<Map.Entry<String, Long>> causes, double seconds, double perSecond, double p50, double p99, double coldStartMillis) {

    /** Every message that went in came out, with an answer or with none due. */
    public boolean complete() {
      return sent > 0 && notSent == 0 && missing == 0 && rejected == 0 && failed == 0 && refused == 0
          && answered + noContent == sent * functions.size();
    }
  }
}

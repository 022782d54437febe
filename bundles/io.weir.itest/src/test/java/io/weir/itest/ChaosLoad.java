package io.weir.itest;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Requests and messages of which no two are alike, so that every answer can be told right or wrong, and their account. */
final class ChaosLoad implements AutoCloseable {
  static final String ASKED = "chaos/in/";
  static final String ANSWERED = "chaos/out/";
  static final String DEAD_LETTERS = "weir/dead-letter/";
  /** Beyond any bound that is asserted, so that a request that hangs is seen as that. */
  private static final Duration FOR_EVER = Duration.ofSeconds(60);
  private static final Pattern CODE = Pattern.compile("\"code\":\"([^\"]+)\"");

  /** A function, how long the pauses between its requests may be, and what it makes of a text. */
  record Target(String function, int longestPauseMillis, String prefix) {}

  private final Gateway gateway;
  private final Downtimes downtimes;
  private final long seed;
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicLong numbers = new AtomicLong();
  private final Map<String, LongAdder> outcomes = new ConcurrentSkipListMap<>();
  private final List<String> wrong = new CopyOnWriteArrayList<>();
  private final AtomicLong longestNanos = new AtomicLong();
  private final Map<String, String> unanswered = new ConcurrentHashMap<>();
  private final Set<String> buried = ConcurrentHashMap.newKeySet();
  private final LongAdder accepted = new LongAdder();
  private final LongAdder answers = new LongAdder();
  private final Mqtt sensor;
  private final Mqtt listener;
  private volatile boolean asking = true;
  private volatile boolean listening = true;

  ChaosLoad(Gateway gateway, Downtimes downtimes, long seed) throws Exception {
    this.gateway = gateway;
    this.downtimes = downtimes;
    this.seed = seed;
    this.sensor = new Mqtt(gateway);
    this.listener = new Mqtt(gateway, ANSWERED + "#", DEAD_LETTERS + "#");
    run("listener", this::listen);
  }

  private interface Work {
    void run() throws Exception;
  }

  private void run(String name, Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (Exception | AssertionError e) {
        wrong.add(name + " failed: " + e);
      }
    }, "chaos-" + name);
    thread.setDaemon(true);
    thread.start();
    threads.add(thread);
  }

  /** Asks these functions one after the other, in any order, from a thread of its own. */
  void request(Target... targets) {
    Random random = new Random(seed + threads.size());
    run("client-" + threads.size(), () -> {
      while (asking) {
        Target target = targets[random.nextInt(targets.length)];
        ask(target, random.nextInt(2_000));
        TimeUnit.MILLISECONDS.sleep(1 + random.nextInt(target.longestPauseMillis));
      }
    });
  }

  private void ask(Target target, int filling) throws InterruptedException {
    String text = target.function + " " + numbers.incrementAndGet() + " " + ".".repeat(filling);
    long began = System.nanoTime();
    String outcome;
    try {
      HttpResponse<String> response = gateway.client().send(gateway.request("/function/" + target.function + "/")
          .timeout(FOR_EVER).POST(HttpRequest.BodyPublishers.ofString(text)).build(), HttpResponse.BodyHandlers.ofString());
      outcome = judge(target, text, response, began);
    } catch (HttpTimeoutException e) {
      outcome = "hung";
    } catch (IOException e) {
      outcome = "no answer";
      if (!downtimes.since(began)) {
        wrong.add(target.function + ": no answer although the gateway was up: " + e);
      }
    }
    longestNanos.accumulateAndGet(System.nanoTime() - began, Math::max);
    outcomes.computeIfAbsent((downtimes.since(began) ? "down: " : "up: ") + outcome, key -> new LongAdder()).increment();
  }

  private String judge(Target target, String text, HttpResponse<String> response, long began) {
    String type = response.headers().firstValue("Content-Type").orElse("");
    if (response.statusCode() == 200) {
      String name = response.headers().firstValue("X-Name").orElse(target.function);
      if (!response.body().equals(target.prefix + text) || !name.equals(target.function)) {
        wrong.add(target.function + " answered [" + response.body() + "] by " + name + " to [" + text + "]");
      }
      return "answered";
    }
    if (response.statusCode() == 404 && type.startsWith("text/html") && downtimes.since(began)) {
      return "404 of the HTTP server, before the gateway has mounted anything";
    }
    Matcher code = CODE.matcher(response.body());
    if (response.statusCode() < 500 || !type.startsWith("application/problem+json") || !code.find()) {
      wrong.add(target.function + " answered " + response.statusCode() + " " + type + " " + response.body());
      return "wrong status " + response.statusCode();
    }
    return response.statusCode() + " " + code.group(1);
  }

  /** Publishes with QoS 1; what the broker has acknowledged must be answered. */
  void publish(int longestPauseMillis) {
    Random random = new Random(seed + threads.size());
    run("sensor", () -> {
      while (asking) {
        String number = Long.toString(numbers.incrementAndGet());
        String text = "sensor " + number + " " + ".".repeat(random.nextInt(500));
        unanswered.put(ANSWERED + number, text);
        sensor.publish(ASKED + number, text);
        accepted.increment();
        TimeUnit.MILLISECONDS.sleep(1 + random.nextInt(longestPauseMillis));
      }
    });
  }

  private void listen() throws Exception {
    while (listening) {
      listener.reconnect();
      Optional<Mqtt.Received> next = listener.poll(Duration.ofMillis(200));
      next.ifPresent(this::heard);
    }
  }

  private void heard(Mqtt.Received answer) {
    String topic = answer.topic();
    if (topic.startsWith(DEAD_LETTERS)) {
      buried.add(answer.text());
      unanswered.values().remove(answer.text());
      return;
    }
    answers.increment();
    String number = topic.substring(ANSWERED.length());
    if (!answer.text().startsWith("sensor " + number + " ")) {
      wrong.add(topic + " carries [" + answer.text() + "]");
    }
    String asked = unanswered.remove(topic);
    if (asked != null && !asked.equals(answer.text())) {
      wrong.add(topic + " carries [" + answer.text() + "] instead of [" + asked + "]");
    }
  }

  /** No more requests and messages; those that are on their way end. */
  void stopAsking() throws InterruptedException {
    asking = false;
    for (Thread thread : threads) {
      if (!thread.getName().equals("chaos-listener")) {
        thread.join(2 * FOR_EVER.toMillis());
      }
    }
  }

  List<String> wrong() {
    return wrong;
  }

  Map<String, String> unanswered() {
    return unanswered;
  }

  Set<String> buried() {
    return buried;
  }

  Duration longest() {
    return Duration.ofNanos(longestNanos.get());
  }

  long count(String prefix) {
    return outcomes.entrySet().stream().filter(e -> e.getKey().startsWith(prefix)).mapToLong(e -> e.getValue().sum()).sum();
  }

  @Override
  public String toString() {
    return "HTTP " + new TreeMap<>(outcomes) + ", longest " + longest().toMillis() + " ms; MQTT " + accepted + " accepted, "
        + answers + " answers, " + buried.size() + " dead letters, " + unanswered.size() + " unanswered";
  }

  @Override
  public void close() throws Exception {
    asking = false;
    listening = false;
    for (Thread thread : threads) {
      thread.join(2 * FOR_EVER.toMillis());
    }
    sensor.close();
    listener.close();
  }
}

package io.weir.engine.podman.internal;

import io.weir.engine.EngineEvent;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import okhttp3.Call;
import okhttp3.Response;
import okio.BufferedSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream of deaths, on a thread of its own, opened again whenever it breaks. Reopened streams begin where the last
 * one ended, so that a death is told once and none is lost as long as Podman kept its event file.
 */
final class EventWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EventWatch.class);
  private static final Duration RETRY = Duration.ofMillis(100);

  private final Libpod libpod;
  private final BooleanSupplier present;
  private final String filter;
  private final Consumer<EngineEvent> listener;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;
  private volatile @Nullable Call call;
  /** Only the thread uses these two. */
  private long lastNanos;
  private String lastId = "";

  /** @param present whether it is worth trying to connect */
  EventWatch(Libpod libpod, BooleanSupplier present, String label, String value, Consumer<EngineEvent> listener) {
    this.libpod = libpod;
    this.present = present;
    this.filter = "stream=true&filters=" + encode(Json.write(
        Map.of("type", List.of("container"), "event", List.of("died"), "label", List.of(label + "=" + value))));
    this.listener = listener;
    this.lastNanos = nanos(Instant.now());
    this.thread = new Thread(this::run, "weir-engine-events");
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    boolean again = false;
    while (!closed()) {
      if (present.getAsBoolean() && stream(again)) {
        again = true;
      }
      pause();
    }
  }

  /** True if the stream was open. */
  private boolean stream(boolean again) {
    boolean opened = false;
    Call current = libpod.open(filter + "&since=" + seconds(lastNanos), "events");
    call = current;
    if (closed()) {
      return false;
    }
    try (Response response = current.execute()) {
      if (response.code() != 200) {
        LOG.warn("Podman refuses its events: {} {}", response.code(), Failures.words(response.body().string()));
        return false;
      }
      opened = true;
      if (again) {
        tell(new EngineEvent.Gap(instant(lastNanos)));
      }
      BufferedSource lines = response.body().source();
      for (String line = lines.readUtf8Line(); line != null; line = lines.readUtf8Line()) {
        event(line);
      }
    } catch (IOException e) {
      LOG.debug("event stream ended", e);
    }
    return opened;
  }

  private void event(String line) {
    if (line.isBlank()) {
      return;
    }
    Map<String, Object> json = Json.object(line);
    Map<String, Object> actor = Json.object(json, "Actor");
    String id = Json.text(actor, "ID");
    long nanos = Json.number(json, "timeNano");
    // A stream opened with since repeats the event of that very moment.
    if (id.isEmpty() || nanos < lastNanos || nanos == lastNanos && id.equals(lastId)) {
      return;
    }
    lastNanos = nanos;
    lastId = id;
    Map<String, String> labels = new TreeMap<>(Json.texts(actor, "Attributes"));
    String exitCode = labels.getOrDefault("containerExitCode", "0");
    List.of("containerExitCode", "image", "name", "podId").forEach(labels::remove);
    tell(new EngineEvent.Died(id, labels, exitCode.matches("-?\\d{1,9}") ? Integer.parseInt(exitCode) : -1,
        instant(nanos)));
  }

  private void tell(EngineEvent event) {
    try {
      listener.accept(event);
    } catch (RuntimeException e) {
      LOG.error("a listener failed on {}", event, e);
    }
  }

  private boolean closed() {
    return closing.getCount() == 0;
  }

  private void pause() {
    try {
      closing.await(RETRY.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      closing.countDown();
      Thread.currentThread().interrupt();
    }
  }

  /** Returns when no more events will be told; a listener may call it, too. */
  @Override
  public void close() {
    closing.countDown();
    Call current = call;
    if (current != null) {
      current.cancel();
    }
    if (Thread.currentThread() == thread) {
      return;
    }
    try {
      thread.join(Duration.ofSeconds(5).toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static long nanos(Instant at) {
    return TimeUnit.SECONDS.toNanos(at.getEpochSecond()) + at.getNano();
  }

  private static Instant instant(long nanos) {
    return Instant.ofEpochSecond(0, nanos);
  }

  private static String seconds(long nanos) {
    return nanos / 1_000_000_000L + "." + String.format("%09d", nanos % 1_000_000_000L);
  }
}

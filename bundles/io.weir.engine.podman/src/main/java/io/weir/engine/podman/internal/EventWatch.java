package io.weir.engine.podman.internal;

import io.weir.engine.EngineEvent;
import io.weir.engine.EngineException;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
 * One stream of deaths, on a thread of its own, opened again whenever it breaks. A reopened stream begins a little before
 * the last one ended, so that no death is lost as long as Podman kept its event file; what was told already is not told
 * again.
 */
final class EventWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EventWatch.class);
  private static final Duration FIRST_RETRY = Duration.ofMillis(100);
  private static final Duration LONGEST_RETRY = Duration.ofSeconds(2);
  /** Several processes write the event file, each its own time first and then the line: lines may be out of order. */
  private static final long OVERLAP_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final int REMEMBERED = 1024;

  private final Libpod libpod;
  private final BooleanSupplier present;
  private final String filter;
  private final Consumer<EngineEvent> listener;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;
  private volatile @Nullable Call call;
  /** Only the thread uses these. */
  private Instant aliveAt = Instant.now();
  private boolean opened;
  private long beginning;
  private final Set<String> told = Collections.newSetFromMap(new LinkedHashMap<String, Boolean>() {
    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
      return size() > REMEMBERED;
    }
  });

  /** @param present whether it is worth trying to connect */
  EventWatch(Libpod libpod, BooleanSupplier present, String label, String value, Consumer<EngineEvent> listener) {
    this.libpod = libpod;
    this.present = present;
    this.filter = "stream=true&filters=" + encode(Json.write(
        Map.of("type", List.of("container"), "event", List.of("died"), "label", List.of(label + "=" + value))));
    this.listener = listener;
    this.thread = new Thread(this::run, "weir-engine-events");
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    Duration retry = FIRST_RETRY;
    boolean late = false;
    while (!closed()) {
      retry = present.getAsBoolean() && stream(late) ? FIRST_RETRY : longer(retry);
      late = true;
      pause(retry);
    }
  }

  private static Duration longer(Duration retry) {
    Duration longer = retry.multipliedBy(2);
    return longer.compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : longer;
  }

  /**
   * True if the stream was open.
   *
   * @param late whether events may have been missed
   */
  private boolean stream(boolean late) {
    // Only a reopened stream says since when: Podman compares it with every event, also with those to come, and a clock
    // that is set back would silence them.
    Call current = libpod.open(opened ? filter + "&since=" + since() : filter, "events");
    call = current;
    if (closed()) {
      return false;
    }
    boolean open = false;
    try (Response response = current.execute()) {
      if (response.code() != 200) {
        LOG.warn("Podman refuses its events: {} {}", response.code(), Failures.words(response.body().string()));
        return false;
      }
      open = true;
      if (late) {
        tell(new EngineEvent.Gap(aliveAt));
      }
      aliveAt = Instant.now();
      beginning = opened ? beginning : nanos(aliveAt);
      opened = true;
      BufferedSource lines = response.body().source();
      for (String line = lines.readUtf8Line(); line != null; line = lines.readUtf8Line()) {
        told(line);
        aliveAt = Instant.now();
      }
    } catch (IOException e) {
      LOG.debug("the event stream ended", e);
    }
    if (open) {
      aliveAt = Instant.now();
    }
    return open;
  }

  /** A little before the last stream ended, but not before the first one began. */
  private String since() {
    long alive = nanos(aliveAt);
    return seconds(alive - Math.min(OVERLAP_NANOS, Math.max(0, alive - beginning)));
  }

  private void told(String line) {
    try {
      if (!line.isBlank()) {
        event(line);
      }
    } catch (EngineException e) {
      LOG.warn("an event is ignored: {}", e.getMessage());
    }
  }

  private void event(String line) {
    Map<String, Object> json = Json.object(line);
    Map<String, Object> actor = Json.object(json, "Actor");
    String id = Json.text(actor, "ID");
    long nanos = Json.number(json, "timeNano");
    if (id.isEmpty() || !told.add(id + nanos)) {
      return;
    }
    Map<String, String> labels = new TreeMap<>(Json.texts(actor, "Attributes"));
    String exitCode = labels.getOrDefault("containerExitCode", "0");
    List.of("containerExitCode", "image", "name", "podId").forEach(labels::remove);
    tell(new EngineEvent.Died(id, labels, exitCode.matches("-?\\d{1,9}") ? Integer.parseInt(exitCode) : -1,
        Instant.ofEpochSecond(0, nanos)));
  }

  /** Whoever changed an image through this engine says so. */
  void imagesChanged() {
    tell(new EngineEvent.ImagesChanged(Instant.now()));
  }

  private synchronized void tell(EngineEvent event) {
    try {
      listener.accept(event);
    } catch (RuntimeException e) {
      LOG.error("a listener failed on {}", event, e);
    }
  }

  private boolean closed() {
    return closing.getCount() == 0;
  }

  private void pause(Duration retry) {
    try {
      closing.await(retry.toMillis(), TimeUnit.MILLISECONDS);
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

  private static String seconds(long nanos) {
    return nanos / 1_000_000_000L + "." + String.format("%09d", nanos % 1_000_000_000L);
  }
}

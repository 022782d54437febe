package io.weir.pool.internal;

import io.weir.engine.Calibration;
import io.weir.function.FunctionSpec;
import io.weir.function.Rung;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * What the rungs of one function cost on this device: medians of the last few times it was measured, be it by a
 * calibration or in daily work; guesses of a small machine until then. Thread-safe.
 */
final class Costs {
  private static final int KEPT = 9;
  private static final int RESUME = 0;
  private static final int PARK = 1;
  private static final int MEMORY = 2;
  private static final String[] KINDS = {"resume", "park", "memory"};
  /** Microseconds until a call is answered, measured on x86 with a small Python function (docs/reference/instances.md). */
  private static final Map<Rung, Long> GUESSED_RESUME = Map.of(Rung.RUNNING, 400L, Rung.FROZEN, 2_000L,
      Rung.ARMED, 120_000L, Rung.CREATED, 200_000L, Rung.IMAGE, 250_000L);
  /** A process that waits for its entrypoint is the OCI runtime itself: runc holds 11.5 MB. */
  private static final long GUESSED_ARMED_MEMORY = 12L << 20;
  /** A container that was only created holds a few files on tmpfs. */
  private static final long CREATED_MEMORY = 300L << 10;
  private static final long GUESSED_MEMORY = 32L << 20;

  private final long memoryLimit;
  private final Map<Rung, Samples[]> figures = new EnumMap<>(Rung.class);
  private Instant at = Instant.EPOCH;
  private boolean changed;

  private static final class Samples {
    private final long[] values = new long[KEPT];
    private int count;

    void add(long value) {
      values[count++ % KEPT] = value;
    }

    long median() {
      long[] sorted = Arrays.copyOf(values, size());
      Arrays.sort(sorted);
      return sorted[sorted.length / 2];
    }

    int size() {
      return Math.min(count, KEPT);
    }
  }

  Costs(FunctionSpec spec) {
    this.memoryLimit = spec.limits().memoryBytes();
    for (Rung rung : Rung.values()) {
      figures.put(rung, new Samples[] {new Samples(), new Samples(), new Samples()});
    }
  }

  void resumed(Rung from, Duration took) {
    add(from, RESUME, took.toNanos() / 1_000);
  }

  void parked(Rung to, Duration took) {
    add(to, PARK, took.toNanos() / 1_000);
  }

  void held(Rung on, long bytes) {
    add(on, MEMORY, bytes);
  }

  private synchronized void add(Rung rung, int kind, long value) {
    figures.get(rung)[kind].add(value);
    at = Instant.now();
    changed = true;
  }

  /** Whether nobody has measured how this function comes back from a rung. */
  synchronized boolean unknown(Rung rung) {
    return figures.get(rung)[RESUME].size() == 0;
  }

  synchronized double resumeSeconds(Rung rung) {
    Samples samples = figures.get(rung)[RESUME];
    return (samples.size() > 0 ? samples.median() : GUESSED_RESUME.getOrDefault(rung, 250_000L)) / 1e6;
  }

  /** Memory that an instance on this rung holds; before anybody knows, a guess on the safe side of the usual. */
  synchronized long memoryBytes(Rung rung) {
    if (rung.compareTo(Rung.CREATED) <= 0) {
      return rung == Rung.CREATED ? CREATED_MEMORY : 0;
    }
    Samples samples = figures.get(rung)[MEMORY];
    if (samples.size() > 0) {
      return samples.median();
    }
    Samples running = figures.get(Rung.RUNNING)[MEMORY];
    return rung == Rung.ARMED ? GUESSED_ARMED_MEMORY
        : running.size() > 0 ? running.median() : Math.min(memoryLimit, GUESSED_MEMORY);
  }

  /** What to charge an instance that is about to run: what others of it held, and some; its limit if nobody knows. */
  synchronized long expectedBytes() {
    Samples running = figures.get(Rung.RUNNING)[MEMORY];
    return running.size() == 0 ? memoryLimit : Math.min(memoryLimit, running.median() * 5 / 4);
  }

  synchronized Calibration view(FunctionSpec spec) {
    List<Calibration.Figure> known = new ArrayList<>();
    for (Rung rung : List.of(Rung.RUNNING, Rung.FROZEN, Rung.ARMED, Rung.CREATED, Rung.IMAGE)) {
      Samples[] of = figures.get(rung);
      if (of[RESUME].size() > 0) {
        known.add(new Calibration.Figure(rung, micros(of[RESUME].median()),
            of[PARK].size() > 0 ? micros(of[PARK].median()) : Duration.ZERO, memoryBytes(rung), of[RESUME].size()));
      }
    }
    return new Calibration(spec.name(), spec.source().toString(), at, known);
  }

  private static Duration micros(long micros) {
    return Duration.ofNanos(micros * 1_000);
  }

  /** Whether there is something to write since it was last asked. */
  synchronized boolean takeChanged() {
    boolean was = changed;
    changed = false;
    return was;
  }

  /** Writes {@code PREFIX.RUNG.KIND=value,value…}. */
  synchronized void write(String prefix, Properties to) {
    to.setProperty(prefix + ".at", at.toString());
    figures.forEach((rung, of) -> {
      for (int kind = 0; kind < KINDS.length; kind++) {
        if (of[kind].size() > 0) {
          to.setProperty(prefix + "." + rung.label() + "." + KINDS[kind], LongStream.of(of[kind].values)
              .limit(of[kind].size()).mapToObj(Long::toString).collect(Collectors.joining(",")));
        }
      }
    });
  }

  /** Reads what {@link #write} wrote; what is damaged is left out. */
  synchronized void read(String prefix, Properties from) {
    figures.forEach((rung, of) -> {
      for (int kind = 0; kind < KINDS.length; kind++) {
        String values = from.getProperty(prefix + "." + rung.label() + "." + KINDS[kind], "");
        if (values.matches("\\d{1,15}(,\\d{1,15})*")) {
          for (String value : values.split(",")) {
            of[kind].add(Long.parseLong(value));
          }
        }
      }
    });
    try {
      at = Instant.parse(from.getProperty(prefix + ".at", Instant.EPOCH.toString()));
    } catch (java.time.DateTimeException e) {
      at = Instant.EPOCH;
    }
  }
}

package io.weir.runner.internal;

import io.weir.engine.Runners.Spare;
import io.weir.function.FunctionSpec;
import io.weir.function.Language;
import io.weir.function.Source;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which spares there are, and which are missing. Thread-safe; touches no container. */
final class Spares {
  private static final Logger LOG = LoggerFactory.getLogger(Spares.class);
  private static final long FIRST_MILLIS = 1_000;
  private static final long LONGEST_MILLIS = 60_000;

  private record Kept(RunnerContainer runner, long memoryBytes) {}

  /** The spares of one shape. */
  private static final class Shelf {
    final Deque<Kept> kept = new ArrayDeque<>();
    boolean wanted;
    int failures;
    /** Waits until it may be tried again. */
    boolean resting;
    String cause = "";
  }

  private final int perShape;
  private final Map<Shape, Shelf> shelves = new LinkedHashMap<>();

  Spares(int perShape) {
    this.perShape = perShape;
  }

  /** From now on the shapes of these functions are wanted, and no others. */
  synchronized void want(Collection<FunctionSpec> functions) {
    Set<Shape> wanted = new HashSet<>();
    for (FunctionSpec function : functions) {
      if (function.source() instanceof Source.Handler handler) {
        wanted.add(Shape.of(function, handler));
      }
    }
    wanted.forEach(shape -> shelves.computeIfAbsent(shape, s -> new Shelf()));
    shelves.forEach((shape, shelf) -> shelf.wanted = wanted.contains(shape));
  }

  synchronized Optional<RunnerContainer> take(Shape shape) {
    Shelf shelf = shelves.get(shape);
    return shelf == null ? Optional.empty() : Optional.ofNullable(shelf.kept.poll()).map(Kept::runner);
  }

  /** One of the language, whatever its size. */
  synchronized Optional<RunnerContainer> takeAny(Language language) {
    return shelves.entrySet().stream()
        .filter(entry -> entry.getKey().language() == language && !entry.getValue().kept.isEmpty())
        .findFirst().map(entry -> entry.getValue().kept.remove().runner());
  }

  /** Those of shapes that no function has any more. */
  synchronized List<RunnerContainer> takeUnwanted() {
    List<RunnerContainer> unwanted = new ArrayList<>();
    shelves.values().removeIf(shelf -> {
      if (!shelf.wanted) {
        shelf.kept.forEach(kept -> unwanted.add(kept.runner()));
      }
      return !shelf.wanted;
    });
    return unwanted;
  }

  /** The shape that lacks most spares, of those that may be tried now. */
  synchronized Optional<Shape> missing() {
    return shelves.entrySet().stream()
        .filter(entry -> entry.getValue().wanted && !entry.getValue().resting && entry.getValue().kept.size() < perShape)
        .min(Comparator.comparingInt(entry -> entry.getValue().kept.size())).map(Map.Entry::getKey);
  }

  /** Puts a spare on its shelf, if that has room; it may have been given up meanwhile. */
  synchronized boolean add(RunnerContainer runner, long memoryBytes) {
    Shelf shelf = shelves.get(runner.shape());
    if (shelf == null || !shelf.wanted || shelf.kept.size() >= perShape) {
      return false;
    }
    shelf.failures = 0;
    shelf.cause = "";
    return shelf.kept.add(new Kept(runner, memoryBytes));
  }

  /** Takes this one away; false if somebody else has. */
  synchronized boolean drop(RunnerContainer runner) {
    Shelf shelf = shelves.get(runner.shape());
    return shelf != null && shelf.kept.removeIf(kept -> kept.runner().equals(runner));
  }

  /** A spare could not be made; the shape rests for the time returned. Logs each cause once. */
  synchronized Optional<Duration> failed(Shape shape, String message) {
    Shelf shelf = shelves.get(shape);
    if (shelf == null) {
      return Optional.empty();
    }
    // Names and ids differ at each attempt.
    String cause = message.replaceAll("[0-9a-f]{8,}", "…");
    if (!cause.equals(shelf.cause)) {
      LOG.warn("no spare {}: {}", shape, message);
      shelf.cause = cause;
    }
    long ceiling = Math.min(LONGEST_MILLIS, FIRST_MILLIS << Math.min(shelf.failures, 20));
    shelf.failures++;
    shelf.resting = true;
    return Optional.of(Duration.ofMillis(ceiling / 2 + ThreadLocalRandom.current().nextLong(ceiling / 2 + 1)));
  }

  synchronized void mayTryAgain(Shape shape) {
    Shelf shelf = shelves.get(shape);
    if (shelf != null) {
      shelf.resting = false;
    }
  }

  synchronized List<RunnerContainer> all() {
    return shelves.values().stream().flatMap(shelf -> shelf.kept.stream()).map(Kept::runner).toList();
  }

  /** For people to look at, ordered by name. */
  synchronized List<Spare> list() {
    return shelves.values().stream().flatMap(shelf -> shelf.kept.stream())
        .map(kept -> new Spare(kept.runner().name(), kept.runner().shape().language().label(), kept.memoryBytes()))
        .sorted(Comparator.comparing(Spare::name)).toList();
  }
}

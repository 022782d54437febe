package io.weir.registry.internal;

import io.weir.function.FunctionCheck;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidFunction;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everybody who may object to a function. Objections are remembered for a while, because a watched file that was refused
 * is tried again every few seconds, and a check may take as long. Thread-safe.
 */
final class Checks {
  private static final Logger log = LoggerFactory.getLogger(Checks.class);
  private static final Duration MEMORY = Duration.ofMinutes(1);
  private static final int MOST_REMEMBERED = 64;

  private record Objection(InvalidFunction fault, Instant until) {}

  private final Clock clock;
  private final List<FunctionCheck> checks = new CopyOnWriteArrayList<>();
  private final Map<FunctionSpec, Objection> objections = new ConcurrentHashMap<>();

  Checks(Clock clock) {
    this.clock = clock;
  }

  void add(FunctionCheck check) {
    checks.add(check);
    objections.clear();
  }

  void remove(FunctionCheck check) {
    checks.remove(check);
    objections.clear();
  }

  boolean isEmpty() {
    return checks.isEmpty();
  }

  /** @throws InvalidFunction if somebody objects; may take seconds */
  void check(FunctionSpec function) {
    Objection known = objections.get(function);
    if (known != null && clock.instant().isBefore(known.until)) {
      throw new InvalidFunction(known.fault.key(), String.valueOf(known.fault.getMessage()));
    }
    for (FunctionCheck check : checks) {
      try {
        check.check(function);
      } catch (InvalidFunction e) {
        remember(function, e);
        throw e;
      } catch (RuntimeException e) {
        log.error("Function {} could not be checked; it is taken as it is", function.name(), e);
      }
    }
  }

  private void remember(FunctionSpec function, InvalidFunction fault) {
    if (objections.size() >= MOST_REMEMBERED) {
      objections.clear();
    }
    objections.put(function, new Objection(fault, clock.instant().plus(MEMORY)));
  }
}

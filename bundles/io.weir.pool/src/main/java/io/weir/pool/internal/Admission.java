package io.weir.pool.internal;

import io.weir.function.FunctionName;
import io.weir.function.Priority;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Lets an instance into the memory budget, if need be at the cost of others: idle ones of functions that
 * matter less or as much give way, the least important first and among equals the one unused for longest;
 * before them, whatever was started for a call that has not come yet, whoever's it is. What works is left
 * alone.
 */
final class Admission {
  private final Budget budget;
  private final Map<FunctionName, FunctionInstances> functions;

  /** @param guess whether nobody has called it yet */
  private record Victim(FunctionInstances owner, Slot slot, Priority priority, boolean guess) {}

  private static final Comparator<Victim> LEAST_VALUABLE_FIRST =
      Comparator.comparing((Victim victim) -> !victim.guess)
          .thenComparing(Victim::priority)
          .thenComparingLong(victim -> victim.slot.lastUsedNanos);

  /** @param functions the pool's own map, read at every look */
  Admission(Budget budget, Map<FunctionName, FunctionInstances> functions) {
    this.budget = budget;
    this.functions = functions;
  }

  /** Charges the bytes, after evicting what may be; false if that does not suffice. */
  boolean admit(long bytes, Priority priority) {
    while (!budget.charge(bytes)) {
      if (bytes > budget.total() || !evictOne(priority)) {
        return false;
      }
    }
    return true;
  }

  /** Gives up the least valuable idle instance of this priority or lower; false if there is none. */
  boolean evictOne(Priority atMost) {
    Set<Slot> tried = new HashSet<>();
    while (true) {
      Optional<Victim> victim = functions.values().stream().flatMap(Admission::victim)
          .filter(candidate -> (candidate.guess || candidate.priority.compareTo(atMost) <= 0)
              && !tried.contains(candidate.slot))
          .min(LEAST_VALUABLE_FIRST);
      if (victim.isEmpty()) {
        return false;
      }
      if (victim.get().owner.evict(victim.get().slot) > 0) {
        return true;
      }
      tried.add(victim.get().slot);   // it got work meanwhile
    }
  }

  private static Stream<Victim> victim(FunctionInstances owner) {
    Priority priority = owner.spec().scaling().priority();
    return owner.cheapest().map(slot -> new Victim(owner, slot, priority, owner.isGuess(slot))).stream();
  }
}

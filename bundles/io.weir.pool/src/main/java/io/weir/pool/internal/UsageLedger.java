package io.weir.pool.internal;

import io.weir.engine.ContainerStats;
import io.weir.engine.FunctionUsage;
import io.weir.engine.Pressure;
import io.weir.function.FunctionName;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;

/** What functions have used, instances that are gone included. Thread-safe. */
final class UsageLedger {
  private final Map<FunctionName, Account> accounts = new ConcurrentHashMap<>();

  /** One function's. */
  private static final class Account {
    private long cpuNanos;
    private final Map<String, ContainerStats> live = new HashMap<>();

    synchronized void measured(String container, ContainerStats stats) {
      ContainerStats before = live.put(container, stats);
      cpuNanos += Math.max(0, stats.cpuNanos() - (before == null ? 0 : before.cpuNanos()));
    }

    synchronized void ended(String container) {
      live.remove(container);
    }

    synchronized FunctionUsage view(FunctionName function) {
      return new FunctionUsage(function, live.size(), cpuNanos,
          live.values().stream().mapToLong(ContainerStats::memoryBytes).sum(),
          live.values().stream().mapToLong(ContainerStats::memoryLimitBytes).sum(),
          live.values().stream().mapToInt(ContainerStats::pids).sum(), pressure());
    }

    private Optional<Pressure> pressure() {
      List<Pressure> all = live.values().stream().flatMap(stats -> stats.pressure().stream()).toList();
      return all.isEmpty() ? Optional.empty()
          : Optional.of(new Pressure(most(all, Pressure::cpu), most(all, Pressure::memory), most(all, Pressure::io)));
    }

    private static double most(List<Pressure> all, ToDoubleFunction<Pressure> of) {
      return all.stream().mapToDouble(of).max().orElse(0);
    }
  }

  void measured(FunctionName function, String container, ContainerStats stats) {
    accounts.computeIfAbsent(function, name -> new Account()).measured(container, stats);
  }

  /** The container is gone, or about to be, and is measured no more; what it used remains. */
  void ended(FunctionName function, String container) {
    Account account = accounts.get(function);
    if (account != null) {
      account.ended(container);
    }
  }

  void forget(FunctionName function) {
    accounts.remove(function);
  }

  /** Ordered by name; functions of which nothing was ever metered have used nothing. */
  List<FunctionUsage> view(Set<FunctionName> functions) {
    return functions.stream().sorted(Comparator.comparing(FunctionName::value))
        .map(function -> accounts.getOrDefault(function, new Account()).view(function)).toList();
  }
}

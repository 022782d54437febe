package io.weir.kernel.internal;

import io.weir.function.FunctionName;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * Who has which slot; the only writer of the maps instances and cgroups, and of counters where they begin anew. A slot
 * that became free is used again last. Guarded by the lock of {@link KernelTraffic}.
 */
final class Seats {
  private final Maps maps;
  private final Deque<Integer> free = new ArrayDeque<>();
  private final TreeMap<Integer, Seat> taken = new TreeMap<>();
  private final Map<Long, Seat> byContainer = new HashMap<>();
  private final Instance[] last = new Instance[Layout.INSTANCES];

  /** Takes up what is pinned. */
  Seats(Maps maps, IntFunction<Optional<FunctionName>> functions) {
    this.maps = maps;
    byte[] value = new byte[Layout.INSTANCE];
    for (int slot = 0; slot < Layout.INSTANCES; slot++) {
      maps.ebpf().get(maps.fd("instances"), Layout.number(slot), value);
      Instance found = Instance.of(value);
      last[slot] = found;
      Optional<FunctionName> function = found.has(Layout.LIVE) ? functions.apply(found.function()) : Optional.empty();
      if (function.isPresent()) {
        keep(new Seat(slot, function.get(), found));
      } else {
        free.add(slot);
      }
    }
  }

  private void keep(Seat seat) {
    taken.put(seat.slot, seat);
    byContainer.put(seat.instance.container(), seat);
  }

  Collection<Seat> all() {
    return List.copyOf(taken.values());
  }

  Optional<Seat> at(int slot) {
    return Optional.ofNullable(taken.get(slot));
  }

  Optional<Seat> of(String container) {
    return Optional.ofNullable(byContainer.get(Instance.shortId(container)));
  }

  /** Slots below this one hold all that is worth reading. */
  int end() {
    return taken.isEmpty() ? 0 : taken.lastKey() + 1;
  }

  /** A slot whose counters are zero; empty if all are taken. */
  Optional<Seat> take(FunctionName function, Instance instance) {
    Integer slot = free.poll();
    if (slot == null) {
      return Optional.empty();
    }
    maps.ebpf().zero(maps.fd("loads"), slot, Layout.LOAD);
    maps.ebpf().zero(maps.fd("counters"), slot, Layout.COUNTERS);
    Seat seat = new Seat(slot, function, inGeneration(instance, last[slot].generation()));
    write(seat, seat.instance);
    keep(seat);
    return Optional.of(seat);
  }

  private static Instance inGeneration(Instance instance, int generation) {
    return new Instance(instance.container(), instance.cgroup(), instance.address4(), instance.address6(),
        instance.function(), instance.flags(), generation, instance.ifindex(), instance.limit(), instance.port(),
        instance.asleepNanos());
  }

  /** Where it is now; flags and generation stay as they are. */
  void move(Seat seat, Instance to) {
    Instance from = seat.instance;
    Instance now = new Instance(to.container(), to.cgroup(), to.address4(), to.address6(), to.function(), from.flags(),
        from.generation(), to.ifindex(), to.limit(), to.port(), from.asleepNanos());
    if (from.cgroup() != now.cgroup() && from.cgroup() != 0) {
      maps.delete("cgroups", Layout.number(from.cgroup()));
    }
    write(seat, now);
  }

  void flag(Seat seat, int flag, boolean set) {
    if (seat.instance.has(flag) != set) {
      Instance now = seat.instance.with(flag, set);
      maps.put("instances", Layout.number(seat.slot), now.bytes());
      seat.instance = now;
    }
  }

  /** The first packet from now on is signalled. */
  void rest(Seat seat, long now) {
    Instance resting = seat.instance.asleep(now);
    maps.put("instances", Layout.number(seat.slot), resting.bytes());
    seat.instance = resting;
  }

  /** Packets can be led to it from now on. */
  void reach(Seat seat) {
    if (seat.instance.ifindex() != seat.port) {
      Instance now = seat.instance.behind(seat.port);
      maps.put("instances", Layout.number(seat.slot), now.bytes());
      seat.instance = now;
    }
  }

  /** Where it is first, then that it is counted. */
  private void write(Seat seat, Instance instance) {
    maps.put("instances", Layout.number(seat.slot), instance.bytes());
    if (instance.cgroup() != 0) {
      maps.put("cgroups", Layout.number(instance.cgroup()), Layout.number(seat.slot));
    }
    seat.instance = instance;
  }

  /** Its connections are over from here on. */
  void leave(Seat seat) {
    Instance gone = seat.instance.gone();
    maps.put("instances", Layout.number(seat.slot), gone.bytes());
    if (seat.instance.cgroup() != 0) {
      maps.delete("cgroups", Layout.number(seat.instance.cgroup()));
    }
    last[seat.slot] = gone;
    taken.remove(seat.slot);
    byContainer.remove(seat.instance.container(), seat);
    free.add(seat.slot);
  }

  /** Those of an earlier life that nobody claimed. */
  List<Seat> unclaimed() {
    List<Seat> found = new ArrayList<>(taken.values());
    found.removeIf(seat -> seat.member != null);
    return found;
  }
}

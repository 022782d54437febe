package io.weir.kernel.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.Meter;
import io.weir.kernel.Traffic;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads the counters out: those of instances that are there, and the sums of those that were. */
final class KernelMeter implements Meter {
  private final Maps maps;
  private final FunctionIndex functions;
  private final KernelTraffic traffic;

  KernelMeter(Maps maps, FunctionIndex functions, KernelTraffic traffic) {
    this.maps = maps;
    this.functions = functions;
    this.traffic = traffic;
  }

  @Override
  public List<Long> bounds() {
    return Histogram.bounds();
  }

  @Override
  public List<FunctionTraffic> functions() {
    return traffic.read((seats, reading, retired) -> {
      Map<FunctionName, Tally> sums = new TreeMap<>();
      Map<FunctionName, Long> inFlight = new HashMap<>();
      retired.forEach((function, tally) -> sums.put(function, new Tally().plus(tally)));
      for (Seat seat : seats) {
        sums.computeIfAbsent(seat.function, name -> new Tally()).plus(reading.tally(seat.slot));
        inFlight.merge(seat.function, Math.max(0, reading.inFlight(seat.slot)), Long::sum);
      }
      sums.remove(Traffic.REHEARSAL);   // nobody's, and it gets no requests
      List<FunctionTraffic> all = new ArrayList<>();
      sums.forEach((function, tally) -> all.add(of(function, tally.counts(inFlight.getOrDefault(function, 0L)))));
      return all;
    });
  }

  private FunctionTraffic of(FunctionName function, Counts counts) {
    long[] latency = functions.find(function).stream()
        .mapToObj(index -> maps.ebpf().histogram(maps.fd("latency"), index, Layout.BUCKETS)).findFirst()
        .orElseGet(() -> new long[1 + Layout.BUCKETS]);
    return new FunctionTraffic(function, counts, Histogram.counts(latency), latency[0]);
  }

  @Override
  public List<InstanceTraffic> instances() {
    return traffic.read((seats, reading, retired) -> {
      List<InstanceTraffic> all = new ArrayList<>();
      for (Seat seat : seats) {
        Optional<String> container = seat.container();
        container.ifPresent(id -> all.add(
            new InstanceTraffic(id, seat.function, reading.tally(seat.slot).counts(reading.inFlight(seat.slot)))));
      }
      all.sort(Comparator.comparing(InstanceTraffic::function).thenComparing(InstanceTraffic::container));
      return all;
    });
  }
}

package io.weir.bench.replay;

import io.weir.forecast.Advice;
import io.weir.forecast.Arrival;
import io.weir.forecast.Prices;
import io.weir.forecast.internal.Forecasts;
import io.weir.function.FunctionName;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/** Those that are compared, each new for every trace. */
final class Platforms {
  static final String WEIR = "weir";
  /** Prefix of a policy which is Weir's with one forecaster only. */
  static final String ONLY = "only-";
  private static final long FOREVER = Long.MAX_VALUE / 4;
  /** Weir freezes an instance so long after its last work, and does not stop it sooner. */
  private static final long FREEZE_AFTER = 2_000;

  private Platforms() {}

  /** Names in the order of tables. */
  static Map<String, Supplier<Platform>> of(Trace trace, Device device) {
    Map<String, Supplier<Platform>> all = new LinkedHashMap<>();
    all.put("always-on", () -> new AlwaysOn(device));
    all.put("keep-60m", () -> new Keep(device, 3_600_000));
    all.put("keep-10m", () -> new Keep(device, 600_000));
    all.put("keep-1m", () -> new Keep(device, 60_000));
    // config-autoscaler's defaults: no request in the stable window of 60 s, seen at the next tick of 2 s;
    // grace of 30 s.
    all.put("knative", () -> new Keep(device, 60_000 + 1_000 + 30_000));
    all.put("none", () -> new Keep(device, 0));
    all.put("hybrid-histogram", () -> new Forecasting(trace, device, new Forecasts("histogram"), false));
    all.put("hotc", () -> new Forecasting(trace, device, new Forecasts("hotc"), false));
    for (String name : Forecasts.names()) {
      all.put(ONLY + name, () -> new Forecasting(trace, device, new Forecasts(name), true));
    }
    all.put(WEIR, () -> new Forecasting(trace, device, new Forecasts(), true));
    return all;
  }

  /** "Serverfull": everything runs all the time. */
  private record AlwaysOn(Device device) implements Platform {
    @Override
    public void arrived(int function, long at) {
      // nothing to learn
    }

    @Override
    public Rest rest(int function, long idleSince, long now, double usedMib) {
      return new Rest(device.warm(), FOREVER);
    }

    @Override
    public boolean startsUp() {
      return true;
    }
  }

  /** Warm for a while after the last work. */
  private record Keep(Device device, long millis) implements Platform {
    @Override
    public void arrived(int function, long at) {
      // nothing to learn
    }

    @Override
    public Rest rest(int function, long idleSince, long now, double usedMib) {
      return now < idleSince + millis ? new Rest(device.warm(), idleSince + millis)
          : new Rest(device.stopped(), FOREVER);
    }
  }

  /** The code that runs in the gateway. */
  private static final class Forecasting implements Platform {
    private final Device device;
    private final Forecasts forecasts;
    private final boolean ladder;
    private final FunctionName[] names;
    private final Map<FunctionName, Integer> numbers = new HashMap<>();
    private final Function<Double, Prices> prices;

    Forecasting(Trace trace, Device device, Forecasts forecasts, boolean ladder) {
      this.device = device;
      this.forecasts = forecasts;
      this.ladder = ladder;
      names = trace.functions().stream().map(FunctionName::new).toArray(FunctionName[]::new);
      for (int i = 0; i < names.length; i++) {
        numbers.put(names[i], i);
      }
      Prices two = device.twoStates();
      prices = ladder ? device::prices : used -> two;
    }

    @Override
    public void arrived(int function, long at) {
      forecasts.observe(new Arrival(names[function], Instant.ofEpochMilli(at)));
    }

    @Override
    public Rest rest(int function, long idleSince, long now, double usedMib) {
      if (ladder && now < idleSince + FREEZE_AFTER) {
        return new Rest(device.warm(), idleSince + FREEZE_AFTER);
      }
      Advice advice = forecasts.advise(names[function], prices.apply(usedMib), Instant.ofEpochMilli(now));
      return new Rest(device.rung(advice.rung()), advice.until().toEpochMilli());
    }

    @Override
    public List<Integer> announced() {
      List<FunctionName> announced = forecasts.announced();
      return announced.isEmpty() ? List.of() : announced.stream().map(numbers::get).toList();
    }

    @Override
    public boolean freezes() {
      return ladder;
    }
  }
}

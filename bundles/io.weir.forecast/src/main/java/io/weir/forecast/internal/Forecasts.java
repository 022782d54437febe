package io.weir.forecast.internal;

import io.weir.forecast.Advice;
import io.weir.forecast.Arrival;
import io.weir.forecast.ArrivalForecaster;
import io.weir.forecast.Forecast;
import io.weir.forecast.ForecastReport;
import io.weir.forecast.Prices;
import io.weir.forecast.Window;
import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import io.weir.function.Rung;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The ledgers of all functions, and the clock they go by. Everything is short, so one lock does. */
public final class Forecasts implements ArrivalForecaster {
  /** A clock that goes back further was set; less is threads that overtake each other. */
  private static final long SET_BACK = 5_000;
  /** Nine years: nobody waits for so long, and figures stay such that can be reckoned with. */
  private static final long SET_AHEAD = 1L << 38;
  /** Every twentieth case, of a normal distribution. */
  private static final double TWENTIETH = 1.645;

  /** Far from overflow. */
  private static final long NEVER = Long.MIN_VALUE / 4;

  private final int forced;
  private final Surroundings surroundings = new Surroundings();
  private final Topology topology = new Topology();
  private final Map<FunctionName, Ledger> ledgers = new HashMap<>();
  private final Set<FunctionName> announced = new LinkedHashSet<>();
  private final Span span = new Span();
  private final Followers.Announcement announcement = this::announce;
  private long newest = NEVER;
  /** What to add to the caller's time so that it never goes back. */
  private long shift;

  public Forecasts() {
    this(null);
  }

  /**
   * For comparisons.
   *
   * @param only the candidate that drives, whatever it costs; null: the best
   */
  public Forecasts(@Nullable String only) {
    forced = only == null ? -1 : Arrays.asList(Ledger.NAMES).indexOf(only);
    if (only != null && forced < 0) {
      throw new IllegalArgumentException(
          "there is no forecaster " + only + "; use " + String.join(", ", Ledger.NAMES));
    }
  }

  /** All names that {@code only} may be. */
  public static List<String> names() {
    return List.of(Ledger.NAMES);
  }

  /** Milliseconds that never go back, nor ahead by ages. */
  private long time(Instant at) {
    long wall;
    try {
      wall = at.toEpochMilli();
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("no time for a message to arrive: " + at, e);
    }
    long time = wall + shift;
    if (newest != NEVER && newest - time > SET_BACK) {
      shift += newest - time;
      time = newest;
    } else if (newest != NEVER && time - newest > SET_AHEAD) {
      shift -= time - newest - SET_AHEAD;
      time = newest + SET_AHEAD;
    }
    newest = Math.max(newest, time);
    return newest;
  }

  @Override
  public synchronized void observe(Arrival arrival) {
    long at = time(arrival.at());
    Ledger ledger = ledgers.get(arrival.function());
    if (ledger == null) {
      ledger = new Ledger(arrival.function(), surroundings, forced);
      ledgers.put(arrival.function(), ledger);
    }
    ledger.observe(at, topology, announcement, span);
  }

  private void announce(Ledger follower, long head, long tail, float probability) {
    follower.announce(newest, head, tail, probability, span);
    announced.add(follower.function());
  }

  @Override
  public synchronized Forecast expected(FunctionName function, Instant now, Duration horizon) {
    Ledger ledger = ledgers.get(function);
    if (ledger == null || horizon.isNegative() || horizon.isZero()) {
      return Forecast.NONE;
    }
    long time = time(now);
    int driver = ledger.next(time, span);
    Optional<Window> next = window(ledger, time);
    long millis = Math.min(horizon.toMillis(), Duration.ofDays(30).toMillis());
    double mean = ledger.candidate(driver).expected(ledger.last(), time, millis);
    double dispersion = ledger.candidate(driver).dispersion();
    if (mean < 0) {
      mean = Math.max(0, ledger.habit().expected(ledger.last(), time, millis));
      dispersion = ledger.habit().dispersion();
    }
    double off = TWENTIETH * Math.sqrt(mean * dispersion);
    return new Forecast(mean, Math.max(0, mean - off), mean + off, next);
  }

  private Optional<Window> window(Ledger ledger, long now) {
    if (span.isNever()) {
      return Optional.empty();
    }
    float chance = span.probability >= 0 ? span.probability
        : ledger.habit().chance(Math.max(now, span.from) - ledger.last(), span.to - ledger.last());
    return Optional.of(new Window(Instant.ofEpochMilli(Math.max(now, span.from) - shift),
        Instant.ofEpochMilli(span.to - shift), Math.max(0, Math.min(1, chance))));
  }

  @Override
  public synchronized Advice advise(FunctionName function, Prices prices, Instant now) {
    Ledger ledger = ledgers.get(function);
    if (ledger == null) {
      Rung coldest = new Ladder(prices).rungs().get(0).rung();
      return new Advice(coldest, now.plusSeconds(3600), "none", "it was never called");
    }
    return Policy.advise(ledger, prices, time(now), -shift, span);
  }

  @Override
  public synchronized Optional<ForecastReport> report(FunctionName function, Prices prices, Instant now) {
    Ledger ledger = ledgers.get(function);
    if (ledger == null) {
      return Optional.empty();
    }
    long time = time(now);
    ledger.turnDay(time);
    Ladder ladder = new Ladder(prices);
    int driver = ledger.next(time, span);
    Optional<Window> next = window(ledger, time);
    List<ForecastReport.Candidate> candidates = new ArrayList<>();
    for (int i = 0; i < Ledger.NAMES.length; i++) {
      candidates.add(new ForecastReport.Candidate(Ledger.NAMES[i],
          ledger.account(i).today(ladder.moreMib(), ladder.savedSeconds()),
          ledger.account(i).yesterday(ladder.moreMib(), ladder.savedSeconds())));
    }
    candidates.sort(Comparator.comparingDouble(of -> price(of, prices)));
    List<ForecastReport.Follower> followers = new ArrayList<>();
    for (int i = 0; i < Followers.KEPT; i++) {
      Ledger follower = ledger.followers().who(i);
      if (follower != null) {
        followers.add(new ForecastReport.Follower(follower.function(), ledger.followers().meanSeconds(i),
            ledger.followers().deviationSeconds(i), ledger.followers().probability(i)));
      }
    }
    return Optional.of(new ForecastReport(function, Ledger.NAMES[driver], ledger.arrivals(), next, followers,
        candidates));
  }

  private static double price(ForecastReport.Candidate candidate, Prices prices) {
    return prices.delay() * (candidate.today().delaySeconds() + candidate.yesterday().delaySeconds())
        + prices.memory() * (candidate.today().memoryMibSeconds() + candidate.yesterday().memoryMibSeconds());
  }

  @Override
  public synchronized List<FunctionName> announced() {
    List<FunctionName> all = List.copyOf(announced);
    announced.clear();
    return all;
  }

  @Override
  public synchronized void retain(Set<FunctionName> functions) {
    List<Ledger> gone = new ArrayList<>();
    ledgers.entrySet().removeIf(entry -> !functions.contains(entry.getKey()) && gone.add(entry.getValue()));
    for (Ledger of : gone) {
      topology.forget(of);
      ledgers.values().forEach(ledger -> ledger.followers().forget(of));
    }
  }

  /** Writes all that was learned. */
  synchronized void write(DataOutput out) throws IOException {
    out.writeLong(newest);
    out.writeLong(shift);
    surroundings.write(out);
    out.writeInt(ledgers.size());
    for (Ledger ledger : ledgers.values()) {
      out.writeUTF(ledger.name());
      ledger.write(out);
    }
    for (Ledger ledger : ledgers.values()) {
      out.writeUTF(ledger.name());
      ledger.followers().write(out);
    }
  }

  /**
   * Continues from what was written, if nothing was observed yet.
   *
   * @throws IOException if that is damaged; then these forecasts are of no more use
   */
  synchronized void read(DataInput in) throws IOException {
    newest = in.readLong();
    shift = in.readLong();
    surroundings.read(in);
    int count = in.readInt();
    if (count < 0) {
      throw new IOException("a negative number of functions");
    }
    Map<String, Ledger> known = new HashMap<>();
    for (int i = 0; i < count; i++) {
      String name = in.readUTF();
      Ledger ledger = new Ledger(function(name), surroundings, forced);
      ledger.read(in);
      known.put(name, ledger);
    }
    for (int i = 0; i < count; i++) {
      Ledger ledger = known.get(in.readUTF());
      if (ledger == null) {
        throw new IOException("followers of nobody");
      }
      ledger.followers().read(in, known::get);
    }
    known.values().forEach(ledger -> ledgers.put(ledger.function(), ledger));
  }

  private static FunctionName function(String name) throws IOException {
    try {
      return new FunctionName(name);
    } catch (InvalidFunction e) {
      throw new IOException("no function can have the name " + name, e);
    }
  }
}

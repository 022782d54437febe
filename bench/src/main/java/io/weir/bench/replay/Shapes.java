package io.weir.bench.replay;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongFunction;

/** Traffic in the shapes that published work reports, from a seed. */
public final class Shapes {
  private static final long SECOND = 1_000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;
  /** A Monday's midnight. */
  private static final long BEGIN = 1_700_438_400_000L;

  private static final Map<String, LongFunction<Trace>> ALL = new TreeMap<>(Map.of(
      "merl", Shapes::merl, "cnrpark", Shapes::cnrpark, "casas", Shapes::casas, "timers", Shapes::timers,
      "azure", Shapes::azure, "flash", Shapes::flash, "silence", Shapes::silence, "chain", Shapes::chain,
      "diurnal", Shapes::diurnal, "rare", Shapes::rare));

  private final Random random;
  private final Trace.Builder trace = new Trace.Builder();

  private Shapes(long seed) {
    random = new Random(seed);
  }

  public static List<String> names() {
    return List.copyOf(ALL.keySet());
  }

  /** @throws IllegalArgumentException if there is no such shape */
  public static Trace of(String name, long seed) {
    LongFunction<Trace> shape = ALL.get(name);
    if (shape == null) {
      throw new IllegalArgumentException("there is no shape " + name + "; use " + String.join(", ", names()));
    }
    return shape.apply(seed);
  }

  private double exponential(double mean) {
    return -mean * Math.log(1 - random.nextDouble());
  }

  /** Short gaps in four cases of five. */
  private double mostly(double meanOfShort, double meanOfLong) {
    return exponential(random.nextDouble() < 0.8 ? meanOfShort : meanOfLong);
  }

  private long normal(double mean, double deviation) {
    return Math.round(Math.max(0, mean + deviation * random.nextGaussian()));
  }

  private double uniform(double from, double to) {
    return from + (to - from) * random.nextDouble();
  }

  /** Evenly on a scale of logarithms. */
  private double scale(double from, double to) {
    return from * Math.pow(to / from, random.nextDouble());
  }

  /**
   * People walk along a corridor by day; a sensor fires seconds before the next: 0.78 events per second, one
   * day.
   */
  private static Trace merl(long seed) {
    return merl(seed, 24, 0.17);
  }

  /**
   * The same with few sensors and fewer people: about a thousand calls, so that containers can follow a day
   * in minutes.
   */
  public static Trace quietMerl(long seed) {
    return merl(seed, 4, 0.006);
  }

  private static Trace merl(long seed, int sensors, double walks) {
    Shapes s = new Shapes(seed);
    double[] byHour = {0.004, 0.003, 0.002, 0.002, 0.003, 0.006, 0.03, 0.2, 0.7, 1, 1.1, 1, 1.2, 1.1, 1, 1, 1,
        0.9, 0.6, 0.25, 0.12, 0.05, 0.02, 0.008};
    for (long t = 0; t < DAY; ) {
      double rate = byHour[(int) (t / HOUR)] * walks;
      long next = t + (long) s.exponential(SECOND / rate);
      if (next / HOUR != t / HOUR) {
        t = (t / HOUR + 1) * HOUR;
        continue;
      }
      t = next;
      int at = s.random.nextInt(sensors);
      int direction = s.random.nextBoolean() ? 1 : -1;
      int steps = 2 + s.random.nextInt(10);
      long when = t;
      for (int i = 0; i < steps && at >= 0 && at < sensors; i++, at += direction) {
        int fires = 1 + s.random.nextInt(2);
        for (int f = 0; f < fires; f++) {
          s.trace.add(BEGIN + when + f * 700L, "motion-" + at, 20);
        }
        when += s.normal(2_600, 500);
      }
    }
    return s.trace.build("merl", BEGIN, BEGIN + DAY);
  }

  /** 164 snapshots every 240 s; 90 % of them go on to a second function, the rest another way; one day. */
  private static Trace cnrpark(long seed) {
    Shapes s = new Shapes(seed);
    for (long t = s.random.nextInt(240_000); t < DAY; t += 240 * SECOND) {
      for (int i = 0; i < 164; i++) {
        long at = BEGIN + t + i * 12L + s.random.nextInt(10);
        s.trace.add(at, "detect", 100);
        double way = s.random.nextDouble();
        s.trace.add(at + s.normal(150, 30), way < 0.9 ? "plate" : "index", way < 0.9 ? 200 : 435);
        if (way > 0.97) {
          s.trace.add(at + s.normal(700, 80), "alarm", 10);
        }
      }
    }
    return s.trace.build("cnrpark", BEGIN, BEGIN + DAY);
  }

  /** A home for a week: people rise, move between rooms, go out, sleep; a room's sensors fire in bursts. */
  private static Trace casas(long seed) {
    Shapes s = new Shapes(seed);
    String[] rooms = {"bed", "bath", "kitchen", "living", "office"};
    for (int day = 0; day < 7; day++) {
      long wake = day * DAY + s.normal(6.8 * HOUR, 0.4 * HOUR);
      long sleep = day * DAY + s.normal(22.7 * HOUR, 0.5 * HOUR);
      for (int nightly = s.random.nextInt(3); nightly > 0; nightly--) {
        long up = day * DAY + (long) s.uniform(0.5 * HOUR, 5.5 * HOUR);
        s.burst("bed", up, 30 * SECOND);
        s.burst("bath", up + s.normal(20_000, 4_000), 3 * MINUTE);
      }
      s.trace.add(BEGIN + wake + s.normal(60_000, 10_000), "light", 20);
      boolean works = day < 5 && s.random.nextDouble() < 0.8;
      for (long t = wake; t < sleep; ) {
        if (works && t > day * DAY + 8.3 * HOUR) {
          s.trace.add(BEGIN + t, "door", 30);
          t = day * DAY + s.normal(17.2 * HOUR, 0.5 * HOUR);
          s.trace.add(BEGIN + t, "door", 30);
          works = false;
        }
        String room = rooms[s.random.nextInt(rooms.length)];
        long stay = (long) Math.min(3 * HOUR, s.exponential(25 * MINUTE));
        s.burst(room, t, stay);
        t += stay + s.normal(6_000, 1_500);
      }
      s.trace.add(BEGIN + sleep, "light", 20);
    }
    for (long t = s.random.nextInt(300_000); t < 7 * DAY; t += 300 * SECOND) {
      s.trace.add(BEGIN + t + s.normal(200, 80), "temperature", 15);
    }
    return s.trace.build("casas", BEGIN, BEGIN + 7 * DAY);
  }

  private void burst(String room, long from, long length) {
    for (long t = 0; t < length; t += (long) mostly(8 * SECOND, 4 * MINUTE)) {
      trace.add(BEGIN + from + t, room, 20);
    }
  }

  /** Timers of all lengths, on marks of the clock or drifting, jittering, some that miss ticks; two days. */
  private static Trace timers(long seed) {
    Shapes s = new Shapes(seed);
    double[] usual = {30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600};
    for (int i = 0; i < 14; i++) {
      long period = (long) (SECOND * (i < 10 ? usual[i] : s.scale(45, 9_000)));
      double jitter = i % 3 == 0 ? 50 : Math.min(period * 0.02, s.scale(100, 8_000));
      boolean drifts = i % 4 == 3;
      double misses = i % 5 == 4 ? 0.05 : 0;
      long offset = i % 2 == 0 ? 0 : (long) s.uniform(0, period);
      for (long t = offset; t < 2 * DAY; t += period + (drifts ? s.normal(jitter, jitter / 2) : 0)) {
        if (s.random.nextDouble() >= misses) {
          s.trace.add(BEGIN + t + (drifts ? 0 : s.normal(jitter, jitter)), "timer-" + i, 50);
        }
      }
    }
    return s.trace.build("timers", BEGIN, BEGIN + 2 * DAY);
  }

  /**
   * 45 % called at most once an hour, 81 % at most once a minute; 16 % timers; half run under a second; two
   * days.
   */
  private static Trace azure(long seed) {
    Shapes s = new Shapes(seed);
    for (int i = 0; i < 100; i++) {
      double kind = s.random.nextDouble();
      double gap = kind < 0.45 ? s.scale(3_600, 100_000) : kind < 0.81 ? s.scale(60, 3_600) : s.scale(6, 60);
      int millis = (int) Math.min(60_000, s.scale(20, 50_000));
      String name = "azure-" + i;
      double nature = s.random.nextDouble();
      if (nature < 0.16) {
        double[] usual = {60, 300, 600, 900, 1_800, 3_600, 86_400};
        long period = (long) (usual[s.random.nextInt(usual.length)] * SECOND);
        for (long t = (long) s.uniform(0, period); t < 2 * DAY; t += period) {
          s.trace.add(BEGIN + t + s.normal(100, 60), name, millis);
        }
      } else if (nature < 0.6) {
        for (double t = s.exponential(gap); t < 2 * DAY / SECOND; t += s.exponential(gap)) {
          s.trace.add(BEGIN + (long) (t * SECOND), name, millis);
        }
      } else if (nature < 0.85) {
        for (double t = s.exponential(gap); t < 2 * DAY / SECOND; t += s.mostly(gap / 8, gap * 4.4)) {
          s.trace.add(BEGIN + (long) (t * SECOND), name, millis);
        }
      } else {
        for (double t = s.exponential(gap / 2); t < 2 * DAY / SECOND; t += s.exponential(gap / 2)) {
          double hour = t / 3_600 % 24;
          if (s.random.nextDouble() < 0.5 + 0.5 * Math.sin((hour - 8) / 24 * 2 * Math.PI)) {
            s.trace.add(BEGIN + (long) (t * SECOND), name, millis);
          }
        }
      }
    }
    return s.trace.build("azure", BEGIN, BEGIN + 2 * DAY);
  }

  /**
   * Few calls, then a crowd that comes within seconds and fades within the hour; one day, three functions.
   */
  private static Trace flash(long seed) {
    Shapes s = new Shapes(seed);
    for (int i = 0; i < 3; i++) {
      double gap = s.scale(300, 3_000);
      for (double t = s.exponential(gap); t < DAY / SECOND; t += s.exponential(gap)) {
        s.trace.add(BEGIN + (long) (t * SECOND), "flash-" + i, 50);
      }
      int crowds = 1 + s.random.nextInt(3);
      for (int c = 0; c < crowds; c++) {
        long start = (long) s.uniform(2 * HOUR, 22 * HOUR);
        for (double t = 0; t < 3_600; t += s.exponential(0.02 * Math.exp(t / 300))) {
          s.trace.add(BEGIN + start + (long) (t * SECOND), "flash-" + i, 50);
        }
      }
    }
    return s.trace.build("flash", BEGIN, BEGIN + DAY);
  }

  /** Functions that are called for some hours and never again, some once only; two days. */
  private static Trace silence(long seed) {
    Shapes s = new Shapes(seed);
    for (int i = 0; i < 12; i++) {
      long begin = (long) s.uniform(0, 12 * HOUR);
      long end = begin + (i % 3 == 2 ? 0 : (long) s.uniform(HOUR, 8 * HOUR));
      double gap = s.scale(2, 600);
      s.trace.add(BEGIN + begin, "silent-" + i, 50);
      long t = begin + (long) s.exponential(gap * SECOND);
      while (t < end) {
        s.trace.add(BEGIN + t, "silent-" + i, 50);
        t += (long) s.exponential(gap * SECOND);
      }
    }
    return s.trace.build("silence", BEGIN, BEGIN + 2 * DAY);
  }

  /**
   * Sensor A, then B 2.3 s ± 0.4 later in nine cases of ten, then C; A comes by chance, at all hours; three
   * days.
   */
  private static Trace chain(long seed) {
    Shapes s = new Shapes(seed);
    double gap = s.scale(900, 7_200);
    for (double t = s.exponential(gap); t < 3 * DAY / SECOND; t += s.exponential(gap)) {
      long at = BEGIN + (long) (t * SECOND);
      s.trace.add(at, "corridor", 20);
      if (s.random.nextDouble() < 0.9) {
        long next = at + s.normal(2_300, 400);
        s.trace.add(next, "door", 20);
        if (s.random.nextDouble() < 0.9) {
          s.trace.add(next + s.normal(6_000, 1_000), "camera", 60);
        }
      }
    }
    return s.trace.build("chain", BEGIN, BEGIN + 3 * DAY);
  }

  /** Calls by chance with the rhythm of the day; five days, six functions. */
  private static Trace diurnal(long seed) {
    Shapes s = new Shapes(seed);
    for (int i = 0; i < 6; i++) {
      double gap = s.scale(20, 900);
      double peak = s.uniform(8, 20);
      for (double t = s.exponential(gap); t < 5 * DAY / SECOND; t += s.exponential(gap)) {
        double hour = t / 3_600 % 24;
        double share = Math.pow(0.5 + 0.5 * Math.cos((hour - peak) / 24 * 2 * Math.PI), 3);
        if (s.random.nextDouble() < share) {
          s.trace.add(BEGIN + (long) (t * SECOND), "diurnal-" + i, 80);
        }
      }
    }
    return s.trace.build("diurnal", BEGIN, BEGIN + 5 * DAY);
  }

  /** Functions that are called a few times a day, each by chance or about once a period; a week. */
  private static Trace rare(long seed) {
    Shapes s = new Shapes(seed);
    for (int i = 0; i < 8; i++) {
      double gap = s.scale(1.5 * 3_600, 12 * 3_600);
      double spread = i % 2 == 0 ? 1 : s.uniform(0.02, 0.3);
      double t = s.exponential(gap);
      while (t < 7.0 * DAY / SECOND) {
        s.trace.add(BEGIN + (long) (t * SECOND), "rare-" + i, 50);
        t += i % 2 == 0 ? s.exponential(gap) : s.normal(gap, gap * spread) + 1;
      }
    }
    return s.trace.build("rare", BEGIN, BEGIN + 7 * DAY);
  }
}

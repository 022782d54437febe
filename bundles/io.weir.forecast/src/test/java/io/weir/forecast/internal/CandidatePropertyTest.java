package io.weir.forecast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What holds for every forecaster, whatever arrives. */
class CandidatePropertyTest {
  private static final Surroundings SURROUNDINGS = new Surroundings();
  private static final long BEGIN = 1_700_000_000_000L;
  private static final Map<String, Supplier<Candidate>> ALL = Map.of(
      "habit", () -> new Habit(SURROUNDINGS, 100),
      "timers", Timers::new,
      "histogram", HybridHistogram::new,
      "rhythm", Rhythm::new,
      "hotc", SmoothedMarkov::new,
      "regression", Regression::new,
      "topology", () -> new Announced(new Habit(SURROUNDINGS, 100)),
      "keep", () -> new KeepAlive(600_000));

  /** Gaps of every length: none, milliseconds, round ones, years as after a clock was set. */
  @Provide
  Arbitrary<List<Long>> gaps() {
    Arbitrary<Long> any = Arbitraries.oneOf(Arbitraries.longs().between(0, 2_000),
        Arbitraries.longs().between(0, 1L << 27),
        Arbitraries.of(0L, 1_000L, 60_000L, 300_000L, 3_600_000L, 86_400_000L, 1L << 36, 1L << 41));
    return Combinators.combine(any.list().ofMaxSize(60), any, Arbitraries.integers().between(0, 40))
        .as((list, same, times) -> {
          List<Long> all = new ArrayList<>(list);
          for (int i = 0; i < times; i++) {
            all.add(same);
          }
          return all;
        });
  }

  private static long feed(Candidate candidate, List<Long> gaps, float worth) {
    long at = BEGIN;
    arrive(candidate, at, -1, worth);
    for (long gap : gaps) {
      at += gap;
      arrive(candidate, at, gap, worth);
    }
    return at;
  }

  private static void arrive(Candidate candidate, long at, long gap, float worth) {
    if (candidate instanceof Steps) {
      ((Steps) candidate).count(at, 1);
    }
    candidate.arrived(at, gap, worth);
  }

  private static Candidate of(String name) {
    return ALL.get(name).get();
  }

  @Provide
  Arbitrary<String> names() {
    return Arbitraries.of(ALL.keySet());
  }

  @Provide
  Arbitrary<Float> worths() {
    return Arbitraries.of(1f, 1_000f, 3_500_000f, 1e12f);
  }

  @Property(tries = 400)
  void spansLieAheadAndExpectationsAreNumbers(@ForAll("names") String name, @ForAll("gaps") List<Long> gaps,
      @ForAll("worths") float worth) {
    Candidate candidate = of(name);
    long last = feed(candidate, gaps, worth);

    Span span = new Span();
    long now = last;
    for (int i = 0; i < 20 && now < Span.NEVER; i++) {
      if (candidate.next(last, now, worth, span)) {
        assertThat(span.to).as(name).isGreaterThan(now);
        assertThat(span.from).as(name).isLessThanOrEqualTo(span.to);
        assertThat(span.probability).as(name).isBetween(Span.UNKNOWN, 1f);
        now = span.to;
      } else {
        now += 60_000;
      }
    }
    for (long horizon : new long[] {1, 60_000, 86_400_000}) {
      double expected = candidate.expected(last, last + 1_000, horizon);
      assertThat(Double.isFinite(expected) && expected >= -1).as("%s expects %s", name, expected).isTrue();
    }
  }

  @Property(tries = 400)
  void whatItSaysToHoldIsOneSpan(@ForAll("names") String name, @ForAll("gaps") List<Long> gaps,
      @ForAll("worths") float worth) {
    Candidate candidate = of(name);
    long last = feed(candidate, gaps, worth);

    Span span = new Span();
    for (long after : new long[] {0, 1, 1_000, 59_999, 600_000, 3_599_999, 86_400_000, 1_000_000_000}) {
      if (candidate.holds(last, last + after, worth)) {
        assertThat(candidate.next(last, last, worth, span)).as(name).isTrue();
        assertThat(span.from).as(name).isLessThanOrEqualTo(last);
        assertThat(span.to).as(name).isGreaterThan(last + after);
      }
    }
  }

  @Property(tries = 200)
  void itGivesUpAtLastOrKeepsWhatItHoldsBounded(@ForAll("names") String name,
      @ForAll("gaps") List<Long> gaps) {
    Candidate candidate = of(name);
    long last = feed(candidate, gaps, 3_500_000);

    Span span = new Span();
    long now = last;
    int spans = 0;
    while (candidate.next(last, now, 3_500_000, span) && !span.isNever() && spans < 200) {
      now = span.to;
      spans++;
    }

    assertThat(spans).as(name).isLessThan(200);
  }

  @Property(tries = 200)
  void whatIsReadSaysWhatWasWritten(@ForAll("names") String name, @ForAll("gaps") List<Long> gaps)
      throws IOException {
    Candidate candidate = of(name);
    long last = feed(candidate, gaps, 3_500_000);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    candidate.write(new DataOutputStream(bytes));

    Candidate again = of(name);
    again.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));

    Span span = new Span();
    Span other = new Span();
    for (long now : new long[] {last, last + 30_000, last + 3_600_000}) {
      assertThat(again.next(last, now, 3_500_000, other))
          .isEqualTo(candidate.next(last, now, 3_500_000, span));
      assertThat(other.from).as(name).isEqualTo(span.from);
      assertThat(other.to).as(name).isEqualTo(span.to);
      assertThat(again.expected(last, now, 60_000)).isEqualTo(candidate.expected(last, now, 60_000));
    }
  }

  @Property(tries = 20)
  void itFitsIntoAKibibyte(@ForAll("names") String name, @ForAll("gaps") List<Long> gaps) {
    Candidate candidate = of(name);
    feed(candidate, gaps, 3_500_000);

    // The habit that topology falls back on is a candidate of its own.
    Object shared = candidate instanceof Announced ? habitOf((Announced) candidate) : SURROUNDINGS;
    assertThat(Footprint.of(candidate, SURROUNDINGS, shared)).as(name).isLessThanOrEqualTo(1_024);
  }

  private static Object habitOf(Announced announced) {
    try {
      java.lang.reflect.Field field = Announced.class.getDeclaredField("habit");
      field.setAccessible(true);
      return field.get(announced);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }
}

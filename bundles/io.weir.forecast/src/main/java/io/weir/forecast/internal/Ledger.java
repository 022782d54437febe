package io.weir.forecast.internal;

import io.weir.function.FunctionName;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * All there is to one function: every candidate observes every arrival, each has its account, and the one
 * that costs least drives. A pause shorter than {@link #QUIET} is no pause, as nobody stops a function that
 * soon; arrivals within are counted and cost nothing else. Not thread-safe.
 */
final class Ledger {
  /** Names of the candidates, those with a special knowledge first, in the order in which they are asked. */
  static final String[] NAMES = {"topology", "timers", "habit", "break-even", "recent", "rhythm", "histogram",
      "hotc", "regression", "keep-60m", "keep-10m", "keep-1m", "none"};
  static final int TOPOLOGY = 0;
  static final int HABIT = 2;
  static final int BREAK_EVEN = 3;
  static final long QUIET = 1_000;
  private static final long DAY = 86_400_000;
  static final float FADING = 0.01f;
  private static final long NEVER = Long.MIN_VALUE;

  private final FunctionName function;
  private final Surroundings surroundings;
  private final Habit habit;
  private final Announced announced;
  private final Steps[] steps;
  private final Candidate[] candidates;
  private final Account[] accounts = new Account[NAMES.length];
  private final Followers followers = new Followers();
  private final Chooser chooser;

  private long last = NEVER;
  private long first = NEVER;
  private int ticket = -1;
  private long arrivals;
  private long day;
  /** The gap since the last arrival spans a time in which nobody observed. */
  private boolean unobserved;
  /** How many gaps were observed, each counted by what was at stake in it; fading. */
  private float gaps;
  /** A bit for each specialist that had an opinion of this gap. */
  private int awake;
  private float worth = Ladder.USUAL_WORTH;
  /** Milliseconds that a start takes here. */
  private long start = Ladder.USUAL_START;

  Ledger(FunctionName function, Surroundings surroundings, int forced) {
    this.function = function;
    this.surroundings = surroundings;
    habit = new Habit(surroundings, 100);
    announced = new Announced(habit);
    SmoothedMarkov hotc = new SmoothedMarkov();
    Regression regression = new Regression();
    steps = new Steps[] {hotc, regression};
    candidates = new Candidate[] {announced, new Timers(), habit, new BreakEven(habit),
        new Habit(surroundings, 10), new Rhythm(), new HybridHistogram(), hotc, regression,
        new KeepAlive(3_600_000), new KeepAlive(600_000), new KeepAlive(60_000), new KeepAlive(QUIET)};
    for (int i = 0; i < accounts.length; i++) {
      accounts[i] = new Account();
    }
    chooser = new Chooser(forced);
  }

  /** Learns an arrival; times never go back. */
  void observe(long at, Topology topology, Followers.Announcement announcement, Span span) {
    arrivals++;
    long gap = last == NEVER ? -1 : at - last;
    if (gap < 0 || gap >= QUIET) {
      began(at, gap, topology, announcement, span);
    } else {
      for (Account account : accounts) {
        account.busy(1, at);
      }
    }
    for (Steps each : steps) {
      each.count(at, 1);
    }
    last = at;
  }

  private void began(long at, long gap, Topology topology, Followers.Announcement announcement, Span span) {
    turnDay(at);
    surroundings.refresh(at);
    if (unobserved) {
      for (Account account : accounts) {
        account.skip(at);
      }
    } else if (gap >= 0) {
      book(at, gap, span);
    } else {
      for (Account account : accounts) {
        account.arrived(1, at, 1, worth);
      }
    }
    if (first == NEVER) {
      first = at;
      ticket = surroundings.appeared(at);
    } else if (ticket >= 0) {
      surroundings.returned(ticket, first, gap);
      ticket = -1;
    }
    long learned = unobserved ? -1 : gap;
    unobserved = false;
    for (Candidate candidate : candidates) {
      candidate.arrived(at, learned, worth);
    }
    topology.called(this, last, at, announcement);
    chooser.choose(accounts, gaps, worth, surroundings);
    awake = 0;
    for (int i = 0; i < Chooser.SPECIALISTS; i++) {
      awake |= candidates[i].next(at, at, worth, span) ? 1 << i : 0;
    }
  }

  /** Puts what a gap cost on all accounts, and what the specialists who had an opinion of it saved. */
  private void book(long at, long gap, Span span) {
    float stake = stake(gap, worth);
    float fade = 1 - FADING * stake;
    gaps = gaps * fade + stake;
    for (int i = 0; i < candidates.length; i++) {
      float missed = accounts[i].settle(candidates[i], habit, last, at, worth, span);
      accounts[i].arrived(missed, at, fade, worth);
    }
    surroundings.gap(accounts, stake, worth);
    for (int i = 0; i < Chooser.SPECIALISTS; i++) {
      if ((awake >> i & 1) != 0) {
        float cheaper = accounts[standIn(i)].gap() - accounts[i].gap();
        chooser.opinion(i, cheaper, fade);
        surroundings.opinion(i, cheaper / worth);
      }
    }
  }

  /** The candidate that a specialist's opinions are measured by. */
  private int standIn(int specialist) {
    // Announcements that do not drive alone add to what the habit does.
    return specialist == TOPOLOGY && !announced.alone(worth) ? HABIT : chooser.general();
  }

  /** Closes the accounts of a day that is over. */
  void turnDay(long at) {
    long today = Math.floorDiv(at, DAY);
    if (today != day) {
      for (Account account : accounts) {
        account.midnight(today == day + 1);
      }
      day = today;
    }
  }

  /** Another function's call makes one of this likely. */
  void announce(long now, long head, long tail, float probability, Span span) {
    if (last == NEVER) {
      return;
    }
    accounts[TOPOLOGY].settle(announced, habit, last, now, worth, span);
    announced.announce(now, head, tail, probability, start);
    awake |= 1 << TOPOLOGY;
  }

  /** The span of a candidate, or what it falls back on. */
  private void next(int candidate, long now, Span span) {
    if (!candidates[candidate].next(last, now, worth, span)) {
      habit.next(last, now, worth, span);
    }
  }

  /** The driver's next span. */
  int next(long now, Span span) {
    int driver = chooser.driver(candidates, last, now, worth, span, surroundings);
    if (driver == TOPOLOGY && chooser.free() && !announced.alone(worth)) {
      // Announcements add to what the leader would do anyway.
      next(chooser.general(), now, span);
      if (!span.isNever() && span.from <= now) {
        return chooser.general();
      }
    }
    next(driver, now, span);
    return driver;
  }

  /** Where to be warm between the driver's spans, on a rung of which so much is worth a call. */
  void between(int driver, long now, float worth, Span span) {
    if (driver >= Chooser.SPECIALISTS || !candidates[driver].next(last, now, worth, span)) {
      habit.next(last, now, worth, span);
    }
  }

  /** What is at stake in a gap, of a cold start: the smaller of both, so short ones say little. */
  static float stake(long gap, float worth) {
    return Math.min(1, gap / (0.1f * worth));
  }

  Habit habit() {
    return habit;
  }

  Candidate candidate(int i) {
    return candidates[i];
  }

  Account account(int i) {
    return accounts[i];
  }

  Followers followers() {
    return followers;
  }

  FunctionName function() {
    return function;
  }

  String name() {
    return function.value();
  }

  long last() {
    return last;
  }

  long arrivals() {
    return arrivals;
  }

  float worth() {
    return worth;
  }

  /**
   * @param worth how many milliseconds of warmth a cold start is worth
   * @param start how many it takes
   */
  void price(float worth, long start) {
    this.worth = worth;
    this.start = start;
  }

  void write(DataOutput out) throws IOException {
    out.writeLong(last);
    out.writeLong(first);
    out.writeLong(arrivals);
    out.writeLong(day);
    out.writeFloat(worth);
    chooser.write(out);
    out.writeByte(awake);
    out.writeFloat(gaps);
    for (int i = 0; i < candidates.length; i++) {
      candidates[i].write(out);
      accounts[i].write(out);
    }
  }

  void read(DataInput in) throws IOException {
    last = in.readLong();
    first = in.readLong();
    arrivals = in.readLong();
    day = in.readLong();
    worth = State.finite(in.readFloat());
    chooser.read(in);
    awake = in.readByte();
    gaps = State.finite(in.readFloat());
    for (int i = 0; i < candidates.length; i++) {
      candidates[i].read(in);
      accounts[i].read(in, last);
    }
    unobserved = true;
  }
}

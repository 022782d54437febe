package io.weir.bench.replay;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Replays a trace against a policy as {@link Simulation} does, but on containers, and at their pace: what it
 * decides are the same policies on the same times; whether a call was cold, and when work ended, the
 * containers tell. All of it happens on the caller's thread. Times are those of the trace.
 */
public final class Live {
  private static final long NEVER = Long.MAX_VALUE;

  /** What is driven. Callbacks must be brought to the thread of the loop, by {@link Pace}. */
  public interface Containers {

    /** Calls a function and tells whether it had to wait for a start, or for the rest of one. */
    void call(int function, Consumer<Answer> answered);

    /**
     * Brings a function without work to a rung, and says when it is there, or that it will not be.
     *
     * @param wanted whether nobody has called it meanwhile
     */
    void move(int function, int rung, BooleanSupplier wanted, Runnable done);
  }

  /**
   * How a call ended.
   *
   * @param waited for a start or the rest of one, milliseconds of the trace; zero if it was warm
   */
  public record Answer(boolean failed, double waited) {}

  /** The clock, and what happens meanwhile. */
  public interface Pace {
    long now();

    /** What was brought to the loop, or null if nothing was until a time. */
    @Nullable Runnable next(long until);
  }

  /**
   * What happened.
   *
   * @param felt what each call waited for a start, milliseconds of the trace, ascending
   * @param memory MiB·s held as {@link Outcome}, by the states the containers were seen in
   * @param waits of the calls that began a start, milliseconds of the trace
   * @param prewarms what starts ahead of a call took, milliseconds of the trace
   * @param work that a call took on average without the wait, milliseconds of the trace
   * @param late how much later than the trace says the latest call was made, milliseconds of the trace
   */
  public record Result(long calls, long cold, long failed, long starts, double[] felt, double memory,
      List<Double> waits, List<Double> prewarms, double work, long late) {

    public double coldShare() {
      return (double) cold / calls;
    }

    /** Milliseconds of the trace that a share of all calls does not exceed. */
    public double felt(double share) {
      return felt[Outcome.rank(share, felt.length)];
    }
  }

  private final Trace trace;
  private final Device device;
  private final Platform platform;
  private final Containers containers;
  private final Pace pace;

  private final int[] rung;
  private final long[] since;
  private final int[] working;
  private final boolean[] moving;
  /** It was called while it moved, so one or the other may have been last. */
  private final boolean[] unsure;
  private final AtomicLongArray called;
  private final long[] idleSince;
  private final long[] wake;
  private final PriorityQueue<Wake> wakes = new PriorityQueue<>();

  private double usedMib;
  private double memory;
  private final double[] felt;
  private int answers;
  private final List<Double> waits = new ArrayList<>();
  private final List<Double> prewarms = new ArrayList<>();
  private double work;
  private long cold;
  private long failed;
  private long starts;
  private long late;
  private int open;

  Live(Trace trace, Device device, Platform platform, Containers containers, Pace pace) {
    this.trace = trace;
    this.device = device;
    this.platform = platform;
    this.containers = containers;
    this.pace = pace;
    felt = new double[trace.calls().size()];
    int functions = trace.functions().size();
    rung = new int[functions];
    since = new long[functions];
    working = new int[functions];
    moving = new boolean[functions];
    unsure = new boolean[functions];
    called = new AtomicLongArray(functions);
    idleSince = new long[functions];
    wake = new long[functions];
    Arrays.fill(rung, device.stopped());
    Arrays.fill(since, trace.begin());
    Arrays.fill(idleSince, trace.begin());
    Arrays.fill(wake, NEVER);
    usedMib = functions * device.mib(device.stopped());
  }

  /** One of the policies by its name; functions must be on the rung {@code created} and without calls. */
  public static Live of(String policy, Trace trace, Device device, Containers containers, Pace pace) {
    return new Live(trace, device, Platforms.of(trace, device).get(policy).get(), containers, pace);
  }

  /** Returns when the trace has ended and all calls were answered. */
  public Result run() {
    List<Trace.Call> calls = new ArrayList<>(trace.calls());
    int next = 0;
    while (next < calls.size() || pace.now() < trace.end() || open > 0) {
      long call = next < calls.size() ? calls.get(next).at() : NEVER;
      long asked = wakes.isEmpty() || wakes.peek().at() >= trace.end() ? NEVER : wakes.peek().at();
      long until = Math.min(call, asked);
      Runnable news = pace.next(until == NEVER && pace.now() < trace.end() ? trace.end() : until);
      if (news != null) {
        news.run();
      } else if (asked < call) {
        Wake due = wakes.poll();
        if (wake[due.function()] == due.at()) {
          decide(due.function());
        }
      } else if (call != NEVER) {
        late = Math.max(late, pace.now() - call);
        arrive(calls.get(next++));
      }
    }
    for (int f = 0; f < rung.length; f++) {
      settle(f, rung[f]);
    }
    Arrays.sort(felt);
    return new Result(calls.size(), cold, failed, starts, felt, memory, List.copyOf(waits),
        List.copyOf(prewarms), work / calls.size(), late);
  }

  /** Policies learn what the trace says, not how late the loop was: at this pace a millisecond is long. */
  private void arrive(Trace.Call call) {
    int f = call.function();
    working[f]++;
    called.incrementAndGet(f);
    open++;
    boolean first = rung[f] != device.warm();
    if (first) {
      starts++;
      settle(f, device.warm());
    }
    long at = pace.now();
    containers.call(f, answer -> answered(f, at, answer, first));
    platform.arrived(f, call.at());
    for (int announced : platform.announced()) {
      if (announced != f) {
        decide(announced);
      }
    }
  }

  private void answered(int f, long at, Answer answer, boolean first) {
    open--;
    felt[answers++] = answer.waited();
    cold += answer.waited() > 0 ? 1 : 0;
    failed += answer.failed() ? 1 : 0;
    if (first && answer.waited() > 0) {
      waits.add(answer.waited());
    }
    work += pace.now() - at - answer.waited();
    if (--working[f] == 0) {
      idleSince[f] = pace.now();
      decide(f);
    }
  }

  private void settle(int f, int to) {
    long now = pace.now();
    memory += device.mib(rung[f]) * (now - since[f]) / 1e3;
    usedMib += device.mib(to) - device.mib(rung[f]);
    since[f] = now;
    rung[f] = to;
  }

  private void decide(int f) {
    if (working[f] > 0 || moving[f]) {
      return;
    }
    long now = pace.now();
    Platform.Rest rest = platform.rest(f, idleSince[f], now, usedMib);
    if (rest.rung() != rung[f] || unsure[f]) {
      starts += rest.rung() == device.warm() && rung[f] != device.warm() ? 1 : 0;
      boolean stopped = rung[f] != device.warm() && !unsure[f];
      settle(f, rest.rung());
      move(f, rest.rung(), stopped);
    }
    wake[f] = Math.max(now + 1, rest.until());
    wakes.add(new Wake(wake[f], f));
  }

  private void move(int f, int to, boolean stopped) {
    long calls = called.get(f);
    long began = pace.now();
    unsure[f] = false;
    moving[f] = true;
    open++;
    containers.move(f, to, () -> called.get(f) == calls, () -> {
      open--;
      moving[f] = false;
      unsure[f] = called.get(f) != calls;
      if (stopped && to == device.warm() && !unsure[f]) {
        prewarms.add((double) (pace.now() - began));
      }
      decide(f);
    });
  }
}

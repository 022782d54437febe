package io.weir.bench.replay;

import java.util.Arrays;
import java.util.PriorityQueue;

/**
 * Replays a trace against a policy, event by event: arrivals, and the moments at which the policy wants to be
 * asked. A function has one instance, which takes any number of calls at a time; calls that come while it
 * starts wait for the rest.
 */
public final class Simulation {
  private static final long NEVER = Long.MIN_VALUE;

  private final Trace trace;
  private final Device device;
  private final Platform platform;
  private final String name;

  private final int[] rung;
  private final long[] since;
  /** When an instance that comes up is there. */
  private final long[] ready;
  private final long[] busyUntil;
  /** When to ask next; wakes that come at another time are stale. */
  private final long[] wake;
  /** Brought up without a call, and none came yet. */
  private final boolean[] unused;
  private final PriorityQueue<Wake> wakes = new PriorityQueue<>();
  private final int[] delays;

  private double usedMib;
  private double memory;
  private double cpu;
  private long cold;
  private double coldSeconds;
  private long starts;
  private long wrong;
  private long refused;

  Simulation(String name, Trace trace, Device device, Platform platform) {
    this.name = name;
    this.trace = trace;
    this.device = device;
    this.platform = platform;
    int functions = trace.functions().size();
    rung = new int[functions];
    since = new long[functions];
    ready = new long[functions];
    busyUntil = new long[functions];
    wake = new long[functions];
    unused = new boolean[functions];
    delays = new int[trace.calls().size()];
    Arrays.fill(since, trace.begin());
    Arrays.fill(ready, NEVER);
    Arrays.fill(busyUntil, NEVER);
    Arrays.fill(wake, NEVER);
    Arrays.fill(rung, platform.startsUp() ? device.warm() : device.stopped());
    usedMib = functions * device.mib(rung[0]);
  }

  /**
   * One of the policies by its name.
   *
   * @param believed the device that the policy takes it for
   */
  public static Simulation of(String policy, Trace trace, Device device, Device believed) {
    return new Simulation(policy, trace, device, Platforms.of(trace, believed).get(policy).get());
  }

  public Outcome run() {
    int i = 0;
    for (Trace.Call call : trace.calls()) {
      while (!wakes.isEmpty() && wakes.peek().at() < call.at()) {
        wake(wakes.poll());
      }
      delays[i++] = arrive(call);
    }
    while (!wakes.isEmpty() && wakes.peek().at() < trace.end()) {
      wake(wakes.poll());
    }
    for (int f = 0; f < rung.length; f++) {
      settle(f, Math.max(trace.end(), since[f]));
    }
    Arrays.sort(delays);
    return new Outcome(name, delays.length, cold, coldSeconds, delays, memory, cpu, starts, wrong, refused);
  }

  /** Pays for what was held until now. */
  private void settle(int f, long now) {
    double seconds = (now - since[f]) / 1e3;
    memory += device.mib(rung[f]) * seconds;
    if (rung[f] == device.warm() && !platform.freezes()) {
      cpu += seconds * device.idleCpu();
    }
    since[f] = now;
  }

  private void move(int f, int to, long now) {
    settle(f, now);
    usedMib += device.mib(to) - device.mib(rung[f]);
    rung[f] = to;
  }

  private int arrive(Trace.Call call) {
    int f = call.function();
    long at = call.at();
    int delay = 0;
    if (rung[f] == device.warm()) {
      if (ready[f] > at) {
        delay = (int) (ready[f] - at);
        cold++;
        coldSeconds += delay / 1e3;
      } else if (platform.freezes() && busyUntil[f] + 2_000 < at) {
        delay = (int) device.resumeMillis(device.warm());
      }
    } else {
      delay = (int) device.resumeMillis(rung[f]);
      cold++;
      coldSeconds += delay / 1e3;
      start(f, at, delay);
    }
    unused[f] = false;
    busyUntil[f] = Math.max(busyUntil[f], at + delay + call.millis());
    ask(f, busyUntil[f]);
    platform.arrived(f, at);
    for (int announced : platform.announced()) {
      if (announced != f && busyUntil[announced] < at) {
        decide(announced, at);
      }
    }
    return delay;
  }

  private void start(int f, long at, long takes) {
    move(f, device.warm(), at);
    ready[f] = at + takes;
    starts++;
    cpu += takes / 1e3 * device.startCpu();
  }

  private void ask(int f, long at) {
    wake[f] = at;
    wakes.add(new Wake(at, f));
  }

  private void wake(Wake of) {
    if (wake[of.function()] == of.at()) {
      decide(of.function(), of.at());
    }
  }

  private void decide(int f, long now) {
    Platform.Rest rest = platform.rest(f, Math.max(busyUntil[f], trace.begin()), now, usedMib);
    if (rest.rung() == device.warm() && rung[f] != device.warm()) {
      if (usedMib + device.mib(device.warm()) - device.mib(rung[f]) > device.budgetMib()) {
        refused++;
      } else {
        start(f, now, device.aheadMillis(rung[f]));
        unused[f] = true;
      }
    } else if (rest.rung() != rung[f] && now >= ready[f]) {
      if (rung[f] == device.warm() && unused[f]) {
        wrong++;
        unused[f] = false;
      }
      move(f, rest.rung(), now);
    }
    ask(f, Math.max(now + 1, rest.until()));
  }
}

package io.weir.bench.replay;

import io.weir.forecast.Prices;
import io.weir.forecast.RungCost;
import io.weir.function.Rung;
import java.util.ArrayList;
import java.util.List;

/**
 * What things cost on the device that is simulated.
 *
 * @param rungs the rungs of every function, coldest first, and how long a caller waits there
 * @param ahead how long a start takes that began ahead of a call, over one that a caller began: those often
 *        begin where a stop has just left no container
 * @param delayPrice MiB·s that one second of waiting is worth
 * @param startCpu CPU seconds that bringing up an instance takes, per second that it takes
 * @param idleCpu cores that a running process needs which has nothing to do
 * @param budgetMib memory that all instances together may hold
 */
public record Device(List<RungCost> rungs, double ahead, double delayPrice, double startCpu, double idleCpu,
    double budgetMib) {
  private static final double MIB = 1 << 20;

  /** What the pool assumes before it has measured anything (docs/reference/instances.md). */
  public static final String USUAL_RUNGS = "image=250/0,created=200/0.3,armed=120/12,frozen=2/32";

  /**
   * A device.
   *
   * @param rungs {@code RUNG=MILLISECONDS/MIB,…}, as weir calibrate prints them
   */
  public static Device of(String rungs, double delayPrice, double budgetMib) {
    List<RungCost> all = new ArrayList<>();
    for (String rung : rungs.split(",")) {
      String[] parts = rung.split("[=/]");
      all.add(new RungCost(Rung.of("rungs", parts[0]), Double.parseDouble(parts[1]) / 1e3,
          (long) (Double.parseDouble(parts[2]) * MIB)));
    }
    all.sort(java.util.Comparator.comparing(RungCost::rung));
    if (all.size() < 2 || all.get(all.size() - 1).rung() != Rung.FROZEN) {
      throw new IllegalArgumentException("rungs need frozen and a colder one: " + rungs);
    }
    return new Device(List.copyOf(all), 1, delayPrice, 1, 0.001, budgetMib);
  }

  /**
   * The same device where time runs faster by a factor, so that everything takes as much longer; what is
   * worth what stays.
   */
  public Device compressed(double factor) {
    List<RungCost> slower = rungs.stream()
        .map(rung -> new RungCost(rung.rung(), rung.resumeSeconds() * factor, rung.memoryBytes())).toList();
    return new Device(slower, ahead, delayPrice / factor, startCpu / factor, idleCpu, budgetMib);
  }

  /** The same, but a start takes so long from wherever it begins, by what it begins for. */
  public Device starting(double called, double ahead) {
    List<RungCost> same = rungs.stream()
        .map(rung -> rung.rung() == Rung.FROZEN ? rung
            : new RungCost(rung.rung(), called, rung.memoryBytes()))
        .toList();
    return new Device(same, ahead / called, delayPrice, startCpu, idleCpu, budgetMib);
  }

  int warm() {
    return rungs.size() - 1;
  }

  /** Where platforms without a ladder leave a function. */
  int stopped() {
    for (int i = 0; i < rungs.size(); i++) {
      if (rungs.get(i).rung() == Rung.CREATED) {
        return i;
      }
    }
    return 0;
  }

  int rung(Rung rung) {
    for (int i = 0; i < rungs.size(); i++) {
      if (rungs.get(i).rung() == rung) {
        return i;
      }
    }
    return warm();
  }

  double mib(int rung) {
    return rungs.get(rung).memoryBytes() / MIB;
  }

  long resumeMillis(int rung) {
    return Math.round(rungs.get(rung).resumeSeconds() * 1e3);
  }

  /** How long a start takes that nobody waits for yet. */
  long aheadMillis(int rung) {
    return Math.round(rungs.get(rung).resumeSeconds() * ahead * 1e3);
  }

  /** Prices as the pool makes them: memory is dearer the fuller the budget is. */
  Prices prices(double usedMib) {
    double used = Math.min(0.97, usedMib / budgetMib);
    return new Prices(rungs, delayPrice, 1 / (1 - used * used));
  }

  /** The same for a platform that knows warm and stopped only. */
  Prices twoStates() {
    return new Prices(List.of(rungs.get(stopped()), rungs.get(warm())), delayPrice, 1);
  }
}

package io.weir.engine;

import io.weir.function.FunctionName;
import io.weir.function.Rung;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * What the rungs of one function cost on this device.
 *
 * @param function whose figures these are
 * @param source its image, or the language and file of its handler
 * @param at when the newest figure was taken
 * @param figures one for each rung that was measured, warmest first
 */
public record Calibration(FunctionName function, String source, Instant at, List<Figure> figures) {
  public Calibration {
    figures = List.copyOf(figures);
  }

  /**
   * One rung.
   *
   * @param rung the rung the function rests on
   * @param resume from there until it listens, median; for {@code FROZEN} and {@code RUNNING} until it answers
   * @param park from running to there, off anybody's way, median; zero if not measured
   * @param memoryBytes memory held while resting there
   * @param samples how many times it was measured, at most what is kept
   */
  public record Figure(Rung rung, Duration resume, Duration park, long memoryBytes, int samples) {}
}

package io.weir.forecast;

import io.weir.function.FunctionName;
import java.util.List;
import java.util.Optional;

/**
 * What is expected of a function, and what it would have cost to believe each forecaster.
 *
 * @param function whose
 * @param chosen the forecaster that drives
 * @param arrivals that were observed
 * @param next when the chosen one expects the next arrival
 * @param followers what usually follows this function
 * @param candidates all forecasters, cheapest first
 */
public record ForecastReport(FunctionName function, String chosen, long arrivals, Optional<Window> next,
    List<Follower> followers, List<Candidate> candidates) {
  public ForecastReport {
    followers = List.copyOf(followers);
    candidates = List.copyOf(candidates);
  }

  /**
   * A forecaster's account.
   *
   * @param name as in docs/forecast.md
   * @param today since midnight
   * @param yesterday the day before; all zero if the gateway does not know
   */
  public record Candidate(String name, Account today, Account yesterday) {}

  /**
   * What a forecaster would have cost, had it driven.
   *
   * @param hits arrivals that would have found the function warm, or nearly
   * @param misses arrivals that would have waited for half of a start or more
   * @param wrong times it would have been prewarmed for nobody
   * @param memoryMibSeconds MiB·s that would have been held without work
   * @param delaySeconds that callers would have waited
   */
  public record Account(long hits, long misses, long wrong, double memoryMibSeconds, double delaySeconds) {
    public static final Account NONE = new Account(0, 0, 0, 0, 0);
  }

  /**
   * Who follows.
   *
   * @param function the one that is called after this one
   * @param afterSeconds mean of how much later
   * @param deviationSeconds its standard deviation
   * @param probability that it is called, 0 to 1
   */
  public record Follower(FunctionName function, double afterSeconds, double deviationSeconds, double probability) {}
}

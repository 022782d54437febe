package io.weir.forecast;

import io.weir.function.Rung;
import java.time.Instant;

/**
 * Where an idle function should rest.
 *
 * @param rung the rung; {@link Rung#FROZEN} or {@link Rung#RUNNING} while a call is likely enough, be there an instance
 *     yet or not: to one that has none this is the order to prewarm
 * @param until when to ask again, unless a call comes first
 * @param by the forecaster that drives, as {@link ForecastReport.Candidate#name()}
 * @param why for people, a few words
 */
public record Advice(Rung rung, Instant until, String by, String why) {}

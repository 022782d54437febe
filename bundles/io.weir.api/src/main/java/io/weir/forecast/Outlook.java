package io.weir.forecast;

import io.weir.function.FunctionName;
import io.weir.function.Rung;
import java.util.Optional;

/**
 * What is expected of a function, and what is done about it.
 *
 * @param function whose
 * @param unused why nothing is done about it, in a sentence for people; empty if something is
 * @param rests where it is to rest now
 * @param prewarms what came of starting it before it was called
 * @param report what was learned; empty if it was never called, or nobody forecasts
 */
public record Outlook(FunctionName function, Optional<String> unused, Rung rests, Prewarms prewarms,
    Optional<ForecastReport> report) {}

package io.weir.forecast;

import io.weir.function.Rung;

/**
 * What resting on a rung costs on this device.
 *
 * @param rung where the function rests
 * @param resumeSeconds how long a call waits from there until it is answered, seconds
 * @param memoryBytes what is held meanwhile
 */
public record RungCost(Rung rung, double resumeSeconds, long memoryBytes) {}

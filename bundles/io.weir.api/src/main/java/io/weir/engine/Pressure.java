package io.weir.engine;

/**
 * How much of the last ten seconds, in per cent, some process of a container could not go on for want of something.
 *
 * @param cpu for want of CPU time, its limit included
 * @param memory for want of memory, its limit included
 * @param io for want of what a disk has to give
 */
public record Pressure(double cpu, double memory, double io) {}

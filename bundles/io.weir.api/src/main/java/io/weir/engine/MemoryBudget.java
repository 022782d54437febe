package io.weir.engine;

/**
 * What all instances together may hold, and do hold.
 *
 * @param totalBytes the budget
 * @param heldBytes what instances are charged for now
 * @param pressed whether the machine itself is short of memory, so that instances are demoted early
 */
public record MemoryBudget(long totalBytes, long heldBytes, boolean pressed) {}

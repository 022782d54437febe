package io.weir.bench.replay;

import java.util.List;

/** A policy that decides how warm idle functions are kept. */
interface Platform {

  /** A call arrives, after whatever was decided before. */
  void arrived(int function, long at);

  /**
   * Where a function without work rests.
   *
   * @param idleSince when its last work ended
   */
  Rest rest(int function, long idleSince, long now, double usedMib);

  /** Functions for which to ask again, as another one was called. */
  default List<Integer> announced() {
    return List.of();
  }

  /** Whether an idle process gets no CPU. */
  default boolean freezes() {
    return false;
  }

  /** Whether functions are up before the first call. */
  default boolean startsUp() {
    return false;
  }

  /**
   * A decision.
   *
   * @param rung number of the rung of {@link Device}
   * @param until when to ask again
   */
  record Rest(int rung, long until) {}
}

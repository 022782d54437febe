package io.weir.kernel.internal;

import java.util.List;

/** A program's place on interfaces. What the kernel refuses is a {@link KernelError}; detaching never fails. */
interface Hook {

  /** Replaces what an earlier life left there, without a gap. */
  void attach(int ifindex);

  void detach(int ifindex);

  /** Interfaces that have it, also from an earlier life, and also if they are gone. */
  List<Integer> pinned();
}

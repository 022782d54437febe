package io.weir.kernel;

import java.util.List;
import java.util.Map;

/** What this host's kernel does for the gateway, and what is done instead where it cannot. Always there; thread-safe. */
public interface KernelReport {

  /**
   * One thing that the kernel may do.
   *
   * @param name {@code meter}, {@code route}, {@code local}, {@code wake}, {@code listen}, {@code egress}, {@code shortcut} or {@code adapt}
   * @param active whether the kernel does it
   * @param how by which means, for example {@code tcx}, or what is done instead
   * @param why what is missing, if it is not active; empty otherwise
   */
  record Feature(String name, boolean active, String how, String why) {}

  /** As {@code uname -r}. */
  String kernel();

  List<Feature> features();

  /**
   * What the kernel's programs led, held or refused since they were attached, by a word for each, for example
   * {@code denied-egress}; empty while there are none.
   */
  default Map<String, Long> notes() {
    return Map.of();
  }
}

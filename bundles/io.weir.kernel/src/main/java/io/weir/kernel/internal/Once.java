package io.weir.kernel.internal;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says once what the kernel refuses; what it was about is left to the slow path. */
final class Once {
  private static final Logger LOG = LoggerFactory.getLogger(Once.class);

  private final Set<String> told = ConcurrentHashMap.newKeySet();

  /** Whether the work was done. */
  boolean attempt(String effect, Runnable work) {
    try {
      work.run();
      return true;
    } catch (KernelError e) {
      tell(effect, e);
      return false;
    }
  }

  void tell(String effect, KernelError e) {
    if (told.add(effect)) {
      LOG.warn("{}: {}", effect, e.getMessage(), e);
    } else {
      LOG.debug("{}", effect, e);
    }
  }
}

package io.weir.kernel.internal;

import java.util.Map;

/** The kernel refused something. */
final class KernelError extends RuntimeException {
  private static final long serialVersionUID = 1L;
  static final int ENOENT = 2;
  static final int EEXIST = 17;

  private static final Map<Integer, String> WORDS = Map.ofEntries(Map.entry(1, "not permitted; the gateway must run as root"),
      Map.entry(ENOENT, "not there"), Map.entry(7, "too large for the kernel"), Map.entry(9, "bad descriptor"),
      Map.entry(12, "out of memory"), Map.entry(13, "the verifier or a permission refuses it"), Map.entry(16, "busy"),
      Map.entry(EEXIST, "there already, of another layout"), Map.entry(19, "no such device"),
      Map.entry(22, "this kernel does not know it"), Map.entry(28, "no room left"), Map.entry(38, "not built into this kernel"),
      Map.entry(95, "not supported by this kernel"), Map.entry(524, "not supported by this kernel"));

  private final int errno;

  /** @param what the purpose in words, for example {@code attaching weir_meter_in to /sys/fs/cgroup/weir} */
  KernelError(String what, int errno) {
    super(what + " failed: " + WORDS.getOrDefault(errno, "refused") + " (errno " + errno + ")");
    this.errno = errno;
  }

  int errno() {
    return errno;
  }
}

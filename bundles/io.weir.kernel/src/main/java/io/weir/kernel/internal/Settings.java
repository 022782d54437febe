package io.weir.kernel.internal;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** {@link KernelConfig}, checked. */
record Settings(boolean enabled, Way way) {
  /** Which way connections to service addresses go. */
  enum Way {
    /** The best one that works. */
    AUTO,
    EBPF,
    NFT,
    /** None of the kernel's: the gateway proxies them. */
    PROXY
  }

  static Settings of(KernelConfig config) {
    String way = config.way().strip().toUpperCase(Locale.ROOT);
    List<Way> all = List.of(Way.values());
    return new Settings(config.enabled(), all.stream().filter(each -> each.name().equals(way)).findFirst()
        .orElseThrow(() -> new IllegalArgumentException(KernelConfig.PID + ": way: '" + config.way()
            + "' is not allowed; use one of " + Arrays.toString(Way.values()).toLowerCase(Locale.ROOT))));
  }
}

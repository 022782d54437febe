package io.weir.kernel.internal;

import java.util.List;
import java.util.Locale;

/** {@link KernelConfig}, checked. */
record Settings(boolean enabled, Way way, Shortcut shortcut) {
  /** Which way connections to service addresses go. */
  enum Way {
    /** The best one that works. */
    AUTO,
    EBPF,
    NFT,
    /** None of the kernel's: the gateway proxies them. */
    PROXY
  }

  /** Whose connections with the gateway go from socket to socket. */
  enum Shortcut {
    /** Such as the gateway's own runners serve: how they read is known. */
    RUNNERS,
    ALL,
    NONE
  }

  static Settings of(KernelConfig config) {
    return new Settings(config.enabled(), one(Way.class, "way", config.way()),
        one(Shortcut.class, "shortcut", config.shortcut()));
  }

  private static <E extends Enum<E>> E one(Class<E> type, String key, String value) {
    List<E> all = List.of(type.getEnumConstants());
    return all.stream().filter(each -> each.name().equals(value.strip().toUpperCase(Locale.ROOT))).findFirst()
        .orElseThrow(() -> new IllegalArgumentException(KernelConfig.PID + ": " + key + ": '" + value
            + "' is not allowed; use one of " + all.toString().toLowerCase(Locale.ROOT)));
  }
}

package io.weir.registry.internal;

/** What a function gets where nothing is written, whether in YAML or in a configuration. */
final class Defaults {
  static final int PORT = 8080;
  static final int QOS = 1;
  static final String PATH = "/";
  /** The only value there is; none by default. */
  static final String FAST = "kernel";
  static final String MEMORY = "128MiB";
  static final double CPUS = 1;
  static final int PIDS = 64;
  static final int MIN_INSTANCES = 0;
  static final int MAX_INSTANCES = 1;
  static final int CONCURRENCY = 8;
  static final String IDLE = "1h";
  static final String REST = "auto";
  static final String PRIORITY = "normal";
  static final String TIMEOUT = "30s";

  /** No limit. */
  static final int SERVICE_RATE = 0;
  static final int SERVICE_BURST = 0;

  private Defaults() {}
}

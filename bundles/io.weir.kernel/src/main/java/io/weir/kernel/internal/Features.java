package io.weir.kernel.internal;

import io.weir.kernel.KernelReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What works and what does not, as it turns out. Thread-safe. */
final class Features implements KernelReport {
  static final String METER = "meter";
  static final String ROUTE = "route";
  static final String LOCAL = "local";
  static final String WAKE = "wake";
  static final String LISTEN = "listen";
  static final String EGRESS = "egress";
  static final String SHORTCUT = "shortcut";
  static final String ADAPT = "adapt";

  /** By feature, in the order in which they are shown: what is done where the kernel does nothing. */
  private static final Map<String, String> INSTEAD = instead();

  private final Map<String, Feature> features = new LinkedHashMap<>();

  Features(String why) {
    allOff(why);
  }

  private static Map<String, String> instead() {
    Map<String, String> instead = new LinkedHashMap<>();
    instead.put(METER, "only what goes through the gateway is counted");
    instead.put(ROUTE, "the gateway proxies connections");
    instead.put(LOCAL, "the gateway proxies connections");
    instead.put(WAKE, "the gateway listens on each service's port");
    instead.put(LISTEN, "ports are tried until they answer");
    instead.put(EGRESS, "functions may connect to anything that the packet filter lets them");
    instead.put(SHORTCUT, "plain TCP");
    instead.put(ADAPT, "the gateway turns messages into requests");
    return instead;
  }

  void allOff(String why) {
    INSTEAD.keySet().forEach(name -> off(name, why));
  }

  synchronized void on(String name, String how) {
    features.put(name, new Feature(name, true, how, ""));
  }

  synchronized void off(String name, String why) {
    features.put(name, new Feature(name, false, INSTEAD.getOrDefault(name, ""), why));
  }

  @Override
  public String kernel() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip();
    } catch (IOException e) {
      return System.getProperty("os.version", "");
    }
  }

  @Override
  public synchronized List<Feature> features() {
    return List.copyOf(features.values());
  }
}

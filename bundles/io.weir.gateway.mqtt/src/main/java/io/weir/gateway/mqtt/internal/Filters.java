package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * What a function subscribes to. A filter that another one contains is left out: brokers may send a message once for
 * each subscription it matches, and the function shall be invoked once.
 */
final class Filters {
  private Filters() {}

  /** Filters with the QoS to ask for, in the order of the triggers. */
  static Map<String, Integer> of(FunctionSpec function, Predicate<Trigger.Mqtt> kind) {
    Map<String, Integer> all = new LinkedHashMap<>();
    function.mqttTriggers().filter(kind).forEach(trigger -> all.merge(trigger.filter().value(), trigger.qos(), Math::max));
    Map<String, Integer> needed = new LinkedHashMap<>();
    all.forEach((filter, qos) -> {
      if (all.keySet().stream().noneMatch(other -> !other.equals(filter) && contains(other, filter))) {
        needed.put(filter, all.entrySet().stream().filter(other -> contains(filter, other.getKey()))
            .mapToInt(Map.Entry::getValue).max().orElse(qos));
      }
    });
    return needed;
  }

  /** Whether every topic that matches {@code inner} matches {@code outer} as well. */
  static boolean contains(String outer, String inner) {
    String[] out = outer.split("/", -1);
    String[] in = inner.split("/", -1);
    if (in[0].startsWith("$") && !in[0].equals(out[0])) {
      return false;  // a leading wildcard does not match such topics
    }
    for (int i = 0; i < out.length; i++) {
      if (out[i].equals("#")) {
        return true;
      }
      if (i >= in.length || in[i].equals("#") || !(out[i].equals("+") || out[i].equals(in[i]))) {
        return false;
      }
    }
    return out.length == in.length;
  }
}

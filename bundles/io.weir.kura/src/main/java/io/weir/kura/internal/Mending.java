package io.weir.kura.internal;

import java.util.ArrayList;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.kura.configuration.ComponentConfiguration;
import org.eclipse.kura.configuration.metatype.AD;
import org.jspecify.annotations.Nullable;

/**
 * Remembers of each service the values that were allowed last, and puts them back where a new one is not: a service with a
 * value it cannot take would not start at all. Of one thread.
 */
final class Mending {

  /**
   * What became of a configuration.
   *
   * @param problems what was not allowed, and what holds instead, in plain words; empty if all is well
   */
  record Result(List<String> problems) {
    boolean changed() {
      return !problems.isEmpty();
    }
  }

  private final Map<String, Map<String, Object>> good = new HashMap<>();

  /** Changes the properties where they are not allowed. */
  Result mend(String pid, Dictionary<String, Object> properties, ComponentConfiguration defaults) {
    List<String> problems = new ArrayList<>();
    Map<String, Object> allowed = good.computeIfAbsent(pid, it -> new HashMap<>());
    for (AD definition : defaults.getDefinition().getAD()) {
      String key = definition.getId();
      Object value = properties.get(key);
      Optional<String> use = Range.violated(definition, value);
      if (use.isPresent()) {
        Object instead = instead(allowed.get(key), defaults.getConfigurationProperties(), key);
        if (instead == null) {
          properties.remove(key);
        } else {
          properties.put(key, instead);
        }
        problems.add(pid + ": " + key + ": '" + value + "' is not allowed; use " + use.get() + ". "
            + (instead == null ? "The default" : instead) + " holds meanwhile.");
      } else if (value != null) {
        allowed.put(key, value);
      }
    }
    return new Result(List.copyOf(problems));
  }

  private static @Nullable Object instead(@Nullable Object before, @Nullable Map<String, Object> defaults, String key) {
    return before != null ? before : defaults == null ? null : defaults.get(key);
  }

  void forget(String pid) {
    good.remove(pid);
  }
}

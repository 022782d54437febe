package io.weir.registry.internal;

import io.weir.function.FunctionSpec;
import java.util.Map;

/**
 * A function as it was written in a YAML text.
 *
 * @param spec the function
 * @param line the line of its name
 * @param lines the line of each key that was written, HTTP paths included
 */
record Declaration(FunctionSpec spec, int line, Map<String, Integer> lines) {
  int lineOf(String key) {
    return lines.getOrDefault(key, line);
  }
}

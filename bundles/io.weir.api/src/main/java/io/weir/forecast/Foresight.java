package io.weir.forecast;

import io.weir.function.FunctionName;
import java.util.Map;
import java.util.Optional;

/** What the pool expects of functions, and what came of acting on it. Thread-safe, and quick. */
public interface Foresight {

  /** Of one function; empty if there is no such function. */
  Optional<Outlook> outlook(FunctionName function);

  /** Of every function. */
  Map<FunctionName, Prewarms> prewarms();
}

package io.weir.runner.internal;

import io.weir.function.FunctionSpec;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Source;

/** What is fixed when a container is created; functions of one shape can use the same spares. */
record Shape(Language language, Limits limits, int port) {

  static Shape of(FunctionSpec function, Source.Handler handler) {
    return new Shape(handler.language(), function.limits(), function.port());
  }

  @Override
  public String toString() {
    return language.label() + " runner of " + (limits.memoryBytes() >> 20) + " MiB";
  }
}

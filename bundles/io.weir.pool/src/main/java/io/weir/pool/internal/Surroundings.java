package io.weir.pool.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineException;
import io.weir.engine.InstanceEnvironment;
import io.weir.function.FunctionSpec;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What instances find in their environment. Thread-safe; blocks as the engine does. */
final class Surroundings {
  private final ContainerEngine engine;
  private volatile @Nullable InstanceEnvironment more;

  Surroundings(ContainerEngine engine) {
    this.engine = engine;
  }

  void appeared(InstanceEnvironment service) {
    more = service;
  }

  void disappeared(InstanceEnvironment service) {
    if (more == service) {
      more = null;
    }
  }

  /** The function may rely on these, whatever else is declared. */
  Map<String, String> of(FunctionSpec spec) {
    Map<String, String> environment = new HashMap<>(spec.environment());
    environment.put("PORT", Integer.toString(spec.port()));
    environment.putAll(ways(spec));
    return environment;
  }

  /**
   * Has the ways there that an instance of an earlier life knows.
   *
   * @throws EngineException if the engine is not there
   */
  Map<String, String> ways(FunctionSpec spec) {
    InstanceEnvironment service = more;
    return service == null ? Map.of() : service.of(spec.name(), engine.gatewayAddress());
  }
}

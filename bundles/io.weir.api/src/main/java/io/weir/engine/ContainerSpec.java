package io.weir.engine;

import io.weir.function.Limits;
import java.util.Map;

/**
 * A container to create. It is hardened without being asked: read-only root, no capabilities, no new privileges,
 * uid 1000, a small tmpfs on {@code /tmp}.
 *
 * @param name unique on the engine
 * @param image image reference; must be present, creating does not pull
 * @param port TCP port it will listen on
 * @param labels labels to find it by
 * @param environment environment variables
 * @param limits memory, CPU and process limits
 */
public record ContainerSpec(String name, String image, int port, Map<String, String> labels,
    Map<String, String> environment, Limits limits) {
  public ContainerSpec {
    labels = Map.copyOf(labels);
    environment = Map.copyOf(environment);
  }
}

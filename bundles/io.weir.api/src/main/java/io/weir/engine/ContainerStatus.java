package io.weir.engine;

import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * A container as the engine sees it now.
 *
 * @param id full id
 * @param name name without a leading slash
 * @param image image reference it was created from
 * @param state see {@link State}
 * @param address where the gateway reaches the port of {@link ContainerSpec}; present while it runs
 * @param labels its labels
 * @param pid first process on the host; 0 if it does not run
 * @param exitCode exit code once exited, else 0
 * @param oomKilled whether the kernel killed it for memory
 * @param created when it was created
 */
public record ContainerStatus(String id, String name, String image, State state, Optional<InetSocketAddress> address,
    Map<String, String> labels, int pid, int exitCode, boolean oomKilled, Instant created) {
  public ContainerStatus {
    labels = Map.copyOf(labels);
  }

  /** Life-cycle states; everything Podman may add to them reads as {@code OTHER}. */
  public enum State { CREATED, INITIALIZED, RUNNING, PAUSED, STOPPED, EXITED, OTHER }
}

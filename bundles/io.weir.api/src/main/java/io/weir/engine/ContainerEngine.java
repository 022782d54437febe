package io.weir.engine;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Containers and images. Every call blocks, ends within a timeout of its own and throws {@link EngineException}.
 * Thread-safe.
 */
public interface ContainerEngine {

  /** The engine's version and setting; the call doubles as a ping. */
  EngineInfo info();

  /** Creates a container that does not run yet, and returns its id. */
  String create(ContainerSpec spec);

  /** Prepares the container up to the point where only its entrypoint is missing; {@link #start} is then faster. */
  void init(String id);

  /**
   * Starts it, and returns where its port is reached. Returns when the entrypoint was executed, not when the function
   * listens. Running already is fine.
   */
  InetSocketAddress start(String id);

  /**
   * Takes the CPU away from a running container, its memory stays; within milliseconds, without the engine's service
   * where the host allows. Frozen already is fine.
   */
  void freeze(String id);

  /** Gives the CPU back. Not frozen is fine. */
  void thaw(String id);

  /**
   * Gives the CPU back if that takes microseconds: by the kernel alone, without the engine's service.
   *
   * @return false if it would take longer; then {@link #thaw} does it
   */
  boolean thawAtOnce(String id);

  /** Sends SIGTERM, and SIGKILL once {@code grace} has passed. Not running is fine. */
  void stop(String id, Duration grace);

  /** Kills and deletes it. Not existing is fine. */
  void remove(String id);

  /** Its state, or {@link EngineException.Code#NO_SUCH_CONTAINER}. */
  ContainerStatus inspect(String id);

  /**
   * Containers that carry all these labels, running or not. Locks every container of the engine: not for hot paths.
   * {@code address}, {@code exitCode} and {@code oomKilled} are not filled; inspect for them.
   */
  List<ContainerStatus> list(Map<String, String> labels);

  /** The last lines a container wrote, standard output and error mixed; empty if it wrote none. */
  List<String> logs(String id, int lines);

  /** Where a container lives that was started or prepared; empty if the engine does not know. */
  default Optional<Residence> residence(String id) {
    return Optional.empty();
  }

  /**
   * The directory in the cgroup v2 hierarchy under which every function's container lives; known before the first one
   * starts. Empty if there is none, or as long as the engine is not there.
   */
  default Optional<Path> functionsCgroup() {
    return Optional.empty();
  }

  /**
   * The address of this host at which functions reach the gateway; known before the first one starts. Empty if they
   * cannot, or as long as the engine is not there.
   */
  default Optional<InetAddress> gatewayAddress() {
    return Optional.empty();
  }

  /** What it uses now; read from the kernel where the host allows, so cheap enough for every few seconds. */
  ContainerStats stats(String id);

  /**
   * Removes what is left of containers of this engine that exist no more: control groups, network namespaces, runtime
   * state. Touches nothing of containers that exist, and nothing of anybody else. Slow; for once a minute.
   */
  void sweep();

  /**
   * Reports the deaths of containers that carry this label, and images that this engine wrote, until the handle is
   * closed; reconnects by itself. Called by one thread at a time: return quickly.
   */
  AutoCloseable watch(String label, String value, Consumer<EngineEvent> listener);

  /** The id of an image, which changes with its content; empty if there is none of this name. */
  Optional<String> imageId(String reference);

  /** Loads a {@code docker-archive} or {@code oci-archive} tar and returns the references it held. */
  List<String> load(InputStream archive);

  /** Writes a {@code docker-archive} tar of an image. */
  default void save(String reference, OutputStream to) {
    throw new EngineException(EngineException.Code.FAILED, "this engine saves no images");
  }

  /** Removes an image, or only this name of it if it has others. Not existing is fine; fails while a container is of it. */
  default void removeImage(String reference) {
    throw new EngineException(EngineException.Code.FAILED, "this engine removes no images");
  }

  /** Makes an image of a root file system tar; {@code changes} are Containerfile lines such as {@code ENTRYPOINT […]}. */
  void importImage(String reference, List<String> changes, InputStream rootfs);

  /**
   * Builds a Containerfile; {@code context} is a tar with the file {@code Containerfile} or {@code Dockerfile} at its
   * top. Never pulls base images.
   *
   * @param progress receives the build's output line by line
   */
  void build(String reference, InputStream context, Consumer<String> progress);

  /** Pulls from a registry; fails with the registry's words although Podman answers 200. */
  void pull(String reference, Consumer<String> progress);
}

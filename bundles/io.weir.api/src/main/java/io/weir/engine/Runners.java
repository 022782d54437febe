package io.weir.engine;

import io.weir.function.FunctionSpec;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/**
 * Preloaded containers, each of one language, that wait frozen for a {@link io.weir.function.Source.Handler}. One that was
 * claimed for a function never serves another. Thread-safe.
 */
public interface Runners {
  /** Label of every runner container, with its language; the pool leaves containers that have it alone. */
  String LABEL = "weir.runner";

  /**
   * Keeps spares for functions like these and for no others. Returns at once; a spare is ready a moment later.
   *
   * @param functions all functions of the gateway, those with an image of their own included
   */
  void keepFor(Collection<FunctionSpec> functions);

  /**
   * A running container in which the function's handler is loaded: a spare, or a new one if there is none. Blocks for
   * milliseconds with a spare, else for as long as a start takes. The caller owns it from now on, and removes it.
   *
   * @param chosen told, on the same thread, which runner it will be before anything of the handler runs in it; again with
   *     another one if that dies before it has loaded. It is not the caller's yet
   * @throws LeaseRefused {@code START_FAILED} with what the language says if the handler does not load;
   *     {@code NO_SUCH_IMAGE} if the language's runtime is not on this gateway; else as a start fails
   */
  Runner claim(FunctionSpec function, Consumer<Runner> chosen);

  /** The spares there are, for people to look at and for the memory budget. */
  List<Spare> spares();

  /**
   * A container that has loaded a handler.
   *
   * @param id container id
   * @param name container name
   * @param address where it listens
   * @param preloaded whether it was a spare
   */
  record Runner(String id, String name, InetSocketAddress address, boolean preloaded) {}

  /**
   * A container that waits for its function.
   *
   * @param name container name
   * @param language its language, as weir.yaml writes it
   * @param memoryBytes memory it holds
   */
  record Spare(String name, String language, long memoryBytes) {}
}

package io.weir.kernel;

import io.weir.function.FunctionName;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;

/** Where functions are reached directly. Optional service; thread-safe. */
public interface ServiceAddresses {

  /**
   * A function's own address.
   *
   * @param port the same for as long as the function exists, also across restarts
   * @param addresses everywhere the port is reached
   * @param problem why it is not reached, for example because somebody else has the port; where there are addresses, why
   *     the gateway carries its connections although it leads those of others; empty if all is well
   */
  record ServiceAddress(FunctionName function, int port, List<InetSocketAddress> addresses, Optional<String> problem) {}

  /** Empty if there is no such function. */
  Optional<ServiceAddress> of(FunctionName function);

  /** {@code ebpf}, {@code nft} or {@code proxy}: how connections reach instances. */
  String way();
}

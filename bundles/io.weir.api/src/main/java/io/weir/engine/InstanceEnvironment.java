package io.weir.engine;

import io.weir.function.FunctionName;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;

/**
 * What the instances of a function find in their environment beside what is declared: ways to the gateway. Optional
 * service, which may come and go; thread-safe.
 */
public interface InstanceEnvironment {

  /**
   * The variables of a new instance, or of one that is taken over from an earlier life; the same for all instances of a
   * function, as long as the address is the same. Sees to it that what they lead to is there. May block for a moment.
   *
   * @param gateway where instances reach this host; empty if they cannot
   */
  Map<String, String> of(FunctionName function, Optional<InetAddress> gateway);
}

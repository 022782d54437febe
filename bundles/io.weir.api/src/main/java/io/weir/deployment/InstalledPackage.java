package io.weir.deployment;

import io.weir.function.FunctionName;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A package whose functions the gateway has.
 *
 * @param version empty if the gateway was killed before it could note it
 * @param signer file name of the trusted key that signed it; empty if no key was trusted in particular
 * @param functions ordered by name
 * @param installed when; empty like the version
 */
public record InstalledPackage(String name, String version, String signer, List<FunctionName> functions,
    Optional<Instant> installed) {
  public InstalledPackage {
    functions = List.copyOf(functions);
  }
}

package io.weir.engine.podman.internal;

import io.weir.engine.EngineInfo;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What was learnt about the service when it came up.
 *
 * @param network network containers join; empty if their port is published on 127.0.0.1 instead
 * @param places where containers live, if they live in namespaces of our own instead of either
 * @param mayRaiseOomScore whether containers may be made likelier victims than the gateway
 * @param cgroupParent the cgroup containers are to be in; empty if that is left to Podman
 * @param runtime the OCI runtime
 */
record Session(EngineInfo info, Optional<String> network, Optional<Places> places, boolean mayRaiseOomScore,
    Optional<String> cgroupParent, Runtime runtime) {

  /** An OCI runtime, which as root keeps its state in a directory of its name unless told otherwise. */
  record Runtime(Path program) {
    Path states() {
      return Path.of("/run").resolve(program.getFileName());
    }

    Path state(String id) {
      return states().resolve(id);
    }
  }
}

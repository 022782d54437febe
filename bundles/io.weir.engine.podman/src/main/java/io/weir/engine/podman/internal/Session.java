package io.weir.engine.podman.internal;

import io.weir.engine.EngineInfo;
import java.util.Optional;

/**
 * What was learnt about the service when it came up.
 *
 * @param network network containers join; empty if their port is published on 127.0.0.1 instead
 * @param mayRaiseOomScore whether containers may be made likelier victims than the gateway
 */
record Session(EngineInfo info, Optional<String> network, boolean mayRaiseOomScore) {}

package io.weir.engine;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a container lives, in the kernel's terms.
 *
 * @param cgroup its directory in the cgroup v2 hierarchy; empty if it has none, as on hosts with cgroup v1 only
 * @param namespace file of its network namespace; empty if it has none of the gateway's making
 * @param port name of the host's end of its veth pair; empty likewise
 * @param address4 its IPv4 address, which the engine's start returns; empty if that is settled no sooner
 * @param address6 its IPv6 address, beside the other; empty if it has none
 */
public record Residence(Optional<Path> cgroup, Optional<Path> namespace, Optional<String> port,
    Optional<InetAddress> address4, Optional<InetAddress> address6) {}

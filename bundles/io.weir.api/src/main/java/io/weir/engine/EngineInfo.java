package io.weir.engine;

/**
 * The container engine behind the gateway.
 *
 * @param version Podman's version
 * @param runtime OCI runtime with its version, for example {@code crun 1.21}
 * @param socket path of the API socket
 * @param embedded whether the gateway runs the service itself
 * @param rootless whether it runs without root
 * @param cgroups {@code v1} or {@code v2}
 */
public record EngineInfo(String version, String runtime, String socket, boolean embedded, boolean rootless,
    String cgroups) {}

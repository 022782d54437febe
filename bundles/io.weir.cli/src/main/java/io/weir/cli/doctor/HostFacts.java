package io.weir.cli.doctor;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What is so on a host, without judgement. Whatever could not be found out is empty.
 *
 * @param podman version, for example {@code 5.4.2}; empty if there is no podman
 * @param runtimes OCI runtimes and their versions
 * @param programs other programs found, by name
 * @param cgroups {@code v2}, {@code v1}, {@code hybrid} or {@code none}
 * @param controllers cgroup controllers that are enabled
 * @param kernelCommandLine as booted, for the fix of a missing controller
 * @param bpfFileSystem whether /sys/fs/bpf is mounted
 * @param ports who holds a port: empty if free, {@code weir} if a gateway answers there, else the owner's name or {@code ?}
 * @param freeDiskMiB below the data folder
 * @param runIsTmpfs whether the state of containers can be in memory
 * @param javaVersion feature number
 * @param features what the kernel does for the gateway that answers; empty if none does
 * @param limits soft limits by name, for example {@code nofile}; -1 for none
 */
public record HostFacts(String os, String arch, String kernel, Optional<String> podman, Map<String, String> runtimes,
    Set<String> programs, String cgroups, Set<String> controllers, String kernelCommandLine, boolean btf,
    boolean bpfFileSystem, Map<Integer, String> ports, long freeDiskMiB, long memoryMiB, boolean runIsTmpfs, int javaVersion,
    boolean root, Map<String, Long> limits, boolean raspberryPi, List<Feature> features) {}

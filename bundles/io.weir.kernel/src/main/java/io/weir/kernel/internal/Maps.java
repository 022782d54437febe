package io.weir.kernel.internal;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The pinned maps, each opened once. Thread-safe. */
final class Maps implements AutoCloseable {
  private final Ebpf ebpf;
  private final Path pins;
  private final Map<String, Integer> open = new HashMap<>();

  Maps(Ebpf ebpf, Path pins) {
    this.ebpf = ebpf;
    this.pins = pins;
  }

  Ebpf ebpf() {
    return ebpf;
  }

  /** Its descriptor. */
  synchronized int fd(String name) {
    return open.computeIfAbsent(name, map -> ebpf.open(pins, map));
  }

  /** Whether a program that is loaded uses it. */
  boolean has(String name) {
    try {
      return fd(name) >= 0;
    } catch (KernelError e) {
      if (e.errno() != KernelError.ENOENT) {
        throw e;
      }
      return false;
    }
  }

  void put(String map, byte[] key, byte[] value) {
    ebpf.put(fd(map), key, value);
  }

  void delete(String map, byte[] key) {
    ebpf.delete(fd(map), key);
  }

  @Override
  public synchronized void close() {
    open.values().forEach(ebpf::close);
    open.clear();
  }
}

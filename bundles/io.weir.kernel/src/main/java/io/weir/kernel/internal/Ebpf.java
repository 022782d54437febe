package io.weir.kernel.internal;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The library with Java's types; what it refuses is a {@link KernelError}. Thread-safe. */
final class Ebpf {
  private static final Logger LOG = LoggerFactory.getLogger(Ebpf.class);

  /** How a program sits on an interface. */
  enum TrafficControl { TCX, CLSACT }

  /** An ELF object whose programs are loaded. */
  record Loaded(String name, Pointer pointer) {}

  private final EbpfLibrary library;
  /** Kept, or the collector takes it while the library still calls it. */
  private final EbpfLibrary.Log log = (level, text) -> {
    if (level == 0) {
      LOG.debug("libbpf: {}", text.strip());
    } else {
      LOG.trace("libbpf: {}", text.strip());
    }
  };

  Ebpf(EbpfLibrary library) {
    this.library = library;
    library.weir_ebpf_log(log);
  }

  /** @throws LinkageError if it cannot be loaded here */
  static Ebpf open(Path file) {
    EbpfLibrary library = Native.load(file.toString(), EbpfLibrary.class);
    int abi = library.weir_ebpf_abi();
    if (abi != EbpfLibrary.ABI) {
      throw new UnsatisfiedLinkError(file + " speaks version " + abi + ", not " + EbpfLibrary.ABI);
    }
    return new Ebpf(library);
  }

  private static int check(int result, String what, Object... details) {
    if (result < 0) {
      throw new KernelError(String.format(what, details), -result);
    }
    return result;
  }

  void mount(Path bpffs) {
    check(library.weir_bpffs_mount(bpffs.toString()), "mounting a bpffs at %s", bpffs);
  }

  void unmount(Path bpffs) {
    check(library.weir_bpffs_unmount(bpffs.toString()), "unmounting %s", bpffs);
  }

  Loaded load(Path elf, Path pins) {
    PointerByReference out = new PointerByReference();
    check(library.weir_object_load(elf.toString(), pins.toString(), 0, 0, out), "loading %s", elf.getFileName());
    return new Loaded(elf.getFileName().toString(), out.getValue());
  }

  void close(Loaded object) {
    library.weir_object_close(object.pointer());
  }

  void attachCgroup(Loaded object, String program, Path cgroup, Path pins, String name) {
    check(library.weir_attach_cgroup(object.pointer(), program, cgroup.toString(), pins.toString(), name),
        "attaching %s to %s", program, cgroup);
  }

  void attachNetns(Loaded object, String program, Path pins, String name) {
    check(library.weir_attach_netns(object.pointer(), program, pins.toString(), name),
        "attaching %s to the network namespace", program);
  }

  /** Not pinned: it goes with the map. */
  void attachMap(Loaded object, String program, String map) {
    check(library.weir_attach_map(object.pointer(), program, map), "attaching %s to map %s", program, map);
  }

  TrafficControl attachIngress(Loaded object, String program, int ifindex, Path pins, String name) {
    return check(library.weir_attach_tc(object.pointer(), program, ifindex, 1, pins.toString(), name),
        "attaching %s to interface %s", program, ifindex) == 1 ? TrafficControl.TCX : TrafficControl.CLSACT;
  }

  void detach(Path pins, String name) {
    check(library.weir_detach(pins.toString(), name), "detaching %s", name);
  }

  void detachIngress(int ifindex, Path pins, String name) {
    check(library.weir_detach_tc(ifindex, 1, pins.toString(), name), "detaching %s from interface %s", name, ifindex);
  }

  int open(Path pins, String map) {
    return check(library.weir_map_open(pins.toString(), map), "opening map %s", map);
  }

  void close(int fd) {
    library.weir_close(fd);
  }

  void put(int map, byte[] key, byte[] value) {
    check(library.weir_map_put(map, key, value, 0), "writing to a map");
  }

  boolean get(int map, byte[] key, byte[] value) {
    int result = library.weir_map_get(map, key, value);
    return result != -KernelError.ENOENT && check(result, "reading a map") == 0;
  }

  void delete(int map, byte[] key) {
    int result = library.weir_map_delete(map, key);
    if (result != -KernelError.ENOENT) {
      check(result, "deleting from a map");
    }
  }

  List<byte[]> keys(int map, int keySize) {
    return Keys.of(library, map, keySize);
  }

  byte[] read(int map, int first, int count, int valueSize) {
    byte[] out = new byte[count * valueSize];
    check(library.weir_map_read(map, first, count, valueSize, out), "reading %s values of a map", count);
    return out;
  }

  long[] histogram(int map, int function, int buckets) {
    long[] out = new long[1 + buckets];
    check(library.weir_map_histogram(map, function, out), "reading a histogram");
    return out;
  }

  void zero(int map, int index, int valueSize) {
    check(library.weir_map_zero(map, index, valueSize), "zeroing an element of a map");
  }

  void listener(int map, int port) {
    check(library.weir_map_listener(map, (short) port), "handing the listener on port %s to the kernel", port);
  }

  /** Zeroes a function's histogram. */
  void zeroHistogram(int map, int function) {
    zero(map, function, Layout.HISTOGRAM);
  }

  Pointer openRing(int map) {
    PointerByReference out = new PointerByReference();
    check(library.weir_ring_open(map, out), "opening the ring of signals");
    return out.getValue();
  }

  /** Blocks until there are signals or {@link #wakeRing} was called. */
  int readRing(Pointer ring, Memory out, int most) {
    return check(library.weir_ring_read(ring, out, most, -1), "reading signals");
  }

  void wakeRing(Pointer ring) {
    library.weir_ring_wake(ring);
  }

  void closeRing(Pointer ring) {
    library.weir_ring_close(ring);
  }

  /** CLOCK_MONOTONIC in nanoseconds, which the programs use. */
  long clock() {
    return library.weir_clock();
  }

  long netnsCookie(Path namespace) {
    LongByReference cookie = new LongByReference();
    check(library.weir_netns_cookie(namespace.toString(), cookie), "asking for the cookie of %s", namespace);
    return cookie.getValue();
  }

  long ownNetnsCookie() {
    LongByReference cookie = new LongByReference();
    check(library.weir_netns_cookie(null, cookie), "asking for the cookie of the gateway's network namespace");
    return cookie.getValue();
  }

  long cgroupId(Path cgroup) {
    LongByReference id = new LongByReference();
    check(library.weir_cgroup_id(cgroup.toString(), id), "asking for the id of %s", cgroup);
    return id.getValue();
  }

  /** 0 or the errno. */
  int probe(String what, Path cgroup) {
    return -library.weir_probe(what, cgroup.toString());
  }

  List<String> probeNames() {
    return List.of(library.weir_probe_names().split(" "));
  }
}

package io.weir.kernel.internal;

import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import org.jspecify.annotations.Nullable;

/** weir_ebpf.h, word for word. Structures travel as bytes, see {@link Layout}. */
public interface EbpfLibrary extends Library {
  int ABI = 1;

  /** Called on the thread that called the library. */
  interface Log extends Callback {
    void said(int level, String text);
  }

  int weir_ebpf_abi();

  void weir_ebpf_log(Log log);

  int weir_bpffs_mount(String path);

  int weir_bpffs_unmount(String path);

  int weir_object_load(String elf, String pinDir, int maxServices, int maxInstances, PointerByReference out);

  void weir_object_close(Pointer object);

  int weir_attach_cgroup(Pointer object, String program, String cgroup, String pinDir, String name);

  int weir_attach_netns(Pointer object, String program, String pinDir, String name);

  int weir_attach_tc(Pointer object, String program, int ifindex, int ingress, String pinDir, String name);

  int weir_attach_map(Pointer object, String program, String map);

  int weir_detach(String pinDir, String name);

  int weir_detach_tc(int ifindex, int ingress, String pinDir, String name);

  int weir_map_open(String pinDir, String map);

  int weir_close(int fd);

  int weir_map_put(int map, byte[] key, byte[] value, long flags);

  int weir_map_get(int map, byte[] key, byte[] value);

  int weir_map_delete(int map, byte[] key);

  int weir_map_next(int map, byte @Nullable [] previous, byte[] next);

  int weir_map_read(int map, int first, int count, int valueSize, byte[] out);

  int weir_map_histogram(int map, int function, long[] out);

  int weir_map_zero(int map, int index, int valueSize);

  int weir_map_listener(int map, short port);

  int weir_ring_open(int map, PointerByReference out);

  int weir_ring_read(Pointer ring, Pointer out, int most, int timeoutMillis);

  int weir_ring_wake(Pointer ring);

  void weir_ring_close(Pointer ring);

  long weir_clock();

  int weir_netns_cookie(@Nullable String path, LongByReference cookie);

  int weir_cgroup_id(String path, LongByReference id);

  int weir_probe(String what, @Nullable String cgroup);

  String weir_probe_names();
}

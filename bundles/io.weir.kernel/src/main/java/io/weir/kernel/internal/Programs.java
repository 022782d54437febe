package io.weir.kernel.internal;

import io.weir.kernel.internal.Ebpf.Loaded;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The objects that are loaded. What cannot be, is reported as a feature that is off. */
final class Programs implements AutoCloseable {
  /** What each object needs, in the library's words, to say what is missing; attaching decides. */
  private static final Map<String, List<String>> NEEDS = Map.of(
      Features.METER, List.of("attach_cgroup_skb", "sk_storage", "skb_storage", "percpu_array", "ringbuf"),
      Features.LISTEN, List.of("attach_sock_ops", "sock_ops_netns_cookie", "ringbuf"),
      Features.EGRESS, List.of("attach_connect", "attach_sendmsg", "lpm_trie", "connect_cgroup_id"),
      Features.LOCAL, List.of("attach_connect", "attach_getpeername", "connect_netns_cookie", "sk_storage"),
      Features.WAKE, List.of("attach_sk_lookup", "sockmap", "sk_assign", "ringbuf"),
      Features.SHORTCUT, List.of("attach_sock_ops", "attach_sk_msg", "sockhash", "sock_ops_netns_cookie",
          "sock_ops_hash_update", "msg_redirect_hash"),
      Features.ADAPT, List.of("attach_sock_ops", "attach_sk_msg", "sockmap", "sk_storage", "msg_push_data"),
      Features.ROUTE, List.of("sched_cls", "redirect_peer", "redirect_neigh", "lru_hash", "lpm_trie"));

  private final Ebpf ebpf;
  private final NativeFiles files;
  private final PinDirectory pins;
  private final Features features;
  private final List<Loaded> loaded = new ArrayList<>();

  Programs(Ebpf ebpf, NativeFiles files, PinDirectory pins, Features features) {
    this.ebpf = ebpf;
    this.files = files;
    this.pins = pins;
    this.features = features;
  }

  /**
   * @param cgroup to try attachments on, if something is missing
   * @throws Incompatible if what is pinned is of another version
   */
  Optional<Loaded> load(String feature, Path cgroup) {
    Optional<Path> elf = files.object(feature);
    if (elf.isEmpty()) {
      features.off(feature, "this build has no program for it");
      return Optional.empty();
    }
    try {
      Loaded object = ebpf.load(elf.get(), pins.path());
      loaded.add(object);
      return Optional.of(object);
    } catch (KernelError e) {
      if (e.errno() == KernelError.EEXIST) {
        throw new Incompatible(e);
      }
      refused(feature, cgroup, e);
      return Optional.empty();
    }
  }

  void refused(String feature, Path cgroup, KernelError e) {
    List<String> missing = missing(NEEDS.getOrDefault(feature, List.of()), cgroup);
    features.off(feature, missing.isEmpty() ? String.valueOf(e.getMessage())
        : "this kernel lacks " + missing.stream().collect(Collectors.joining(", ")) + "; " + e.getMessage());
  }

  private List<String> missing(List<String> words, Path cgroup) {
    return words.stream().filter(word -> ebpf.probe(word, cgroup) != 0).toList();
  }

  /** Whether programs can be attached to interfaces at all. */
  boolean hasTrafficControl(Path cgroup) {
    return Stream.of("attach_tcx", "attach_clsact").anyMatch(word -> ebpf.probe(word, cgroup) == 0);
  }

  /** What is pinned or attached stays. */
  @Override
  public void close() {
    loaded.forEach(ebpf::close);
    loaded.clear();
  }

  /** What an earlier version pinned does not fit. */
  static final class Incompatible extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Incompatible(KernelError cause) {
      super(cause.getMessage(), cause);
    }
  }
}

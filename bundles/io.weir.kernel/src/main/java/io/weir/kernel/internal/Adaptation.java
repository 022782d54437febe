package io.weir.kernel.internal;

import io.weir.kernel.internal.Ebpf.Loaded;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Puts the programs of the adaptor where they belong. */
final class Adaptation {
  private static final List<String> HOOK = List.of("weir_adapt");

  private Adaptation() {}

  /**
   * The gateway, its broker, the functions: what they have in common is the root, where a connection that is not wanted
   * costs a look into a map when it begins.
   */
  static Optional<KernelAdaptor> of(Ebpf ebpf, Programs programs, PinDirectory pins, Maps maps, Features features,
      Path functions, KernelTraffic traffic) {
    Optional<Path> root = Mounts.cgroup2();
    if (root.isEmpty()) {
      features.off(Features.ADAPT, "this host has no cgroup v2");
      return Optional.empty();
    }
    Optional<Loaded> object = programs.load(Features.ADAPT, functions);
    if (object.isEmpty()) {
      return Optional.empty();
    }
    try {
      ebpf.attachMap(object.get(), "weir_adapt_up", "adapt_clients");
      ebpf.attachMap(object.get(), "weir_adapt_publish", "adapt_brokers");
      ebpf.attachMap(object.get(), "weir_adapt_answer", "adapt_functions");
      KernelAdaptor adaptor = new KernelAdaptor(maps, traffic);
      boolean[] attached = new boolean[1];
      CgroupHooks hooks = new CgroupHooks(ebpf, pins);
      hooks.add(Features.ADAPT, object.get(), HOOK);
      hooks.attach(root.get(), new CgroupHooks.Outcome() {
        @Override
        public void attached(String feature) {
          features.on(feature, "connections in " + root.get() + ", for triggers with fast: kernel");
          attached[0] = true;
        }

        @Override
        public void refused(String feature, KernelError error) {
          programs.refused(feature, functions, error);
        }
      });
      return attached[0] ? Optional.of(adaptor) : Optional.empty();
    } catch (KernelError e) {
      programs.refused(Features.ADAPT, functions, e);
      return Optional.empty();
    }
  }
}

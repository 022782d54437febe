package io.weir.kernel.internal;

import io.weir.kernel.internal.Ebpf.Loaded;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Programs on cgroups, each in one place. */
final class CgroupHooks {
  /** Program and the name of its pin, by feature. */
  private record Hook(String program, String pin) {}

  private record Placed(String feature, Loaded object, List<Hook> hooks) {}

  static final List<String> METER = List.of("weir_meter_in", "weir_meter_out", "weir_meter_life");
  static final List<String> LISTEN = List.of("weir_listen");
  static final List<String> EGRESS = List.of("weir_egress_connect4", "weir_egress_connect6", "weir_egress_sendmsg4",
      "weir_egress_sendmsg6");
  static final List<String> LOCAL = List.of("weir_connect4", "weir_connect6", "weir_getpeername4", "weir_getpeername6");

  private final Ebpf ebpf;
  private final PinDirectory pins;
  private final List<Placed> placed = new ArrayList<>();

  CgroupHooks(Ebpf ebpf, PinDirectory pins) {
    this.ebpf = ebpf;
    this.pins = pins;
  }

  void add(String feature, Loaded object, List<String> programs) {
    placed.add(new Placed(feature, object,
        programs.stream().map(program -> new Hook(program, program.replace("weir_", "").replace('_', '-'))).toList()));
  }

  /** Replaces what is attached there without a gap. */
  void attach(Path cgroup, Outcome outcome) {
    for (Placed each : placed) {
      try {
        each.hooks().forEach(hook -> ebpf.attachCgroup(each.object(), hook.program(), cgroup, pins.path(), hook.pin()));
        outcome.attached(each.feature());
      } catch (KernelError e) {
        outcome.refused(each.feature(), e);
      }
    }
  }

  /** Told of each feature. */
  interface Outcome {
    void attached(String feature);

    void refused(String feature, KernelError error);
  }
}

package io.weir.kernel.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

@ObjectClassDefinition(id = KernelConfig.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir in the kernel",
    description = "What the gateway lets the kernel do for it: counting requests, leading connections to instances, "
        + "telling when functions are wanted. What this kernel cannot do, or is told not to, the gateway does itself. "
        + "A change takes everything off and puts it on anew.")
public @interface KernelConfig {
  String PID = "io.weir.kernel";

  @AttributeDefinition(name = "Enabled", description = "Off: nothing is attached to the kernel.")
  boolean enabled() default true;

  @AttributeDefinition(name = "Way to instances", description = "How connections to functions' own addresses reach them: "
      + "by eBPF programs, by the packet filter nftables, through the gateway, or by the best of these that works.",
      options = {@Option(label = "The best that works", value = "auto"), @Option(label = "eBPF", value = "ebpf"),
        @Option(label = "nftables", value = "nft"), @Option(label = "Through the gateway", value = "proxy")})
  String way() default "auto";

  @AttributeDefinition(name = "Shortcut", description = "Whose connections with the gateway skip TCP: what one sends is put "
      + "straight into what the other reads. A server that reads with splice() would wait for ever, and one that counts on "
      + "MSG_WAITALL would get less than it asked for; the gateway's own runners do neither.",
      options = {@Option(label = "Functions with a runner", value = "runners"),
        @Option(label = "All functions", value = "all"), @Option(label = "Nobody's", value = "none")})
  String shortcut() default "runners";
}

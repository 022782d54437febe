package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The functions' way to other machines: they may call and get answers, nobody may call them. One packet filter table of
 * our own for each IP version, named as the bridge. Functions work without it, they just reach nobody but the gateway.
 */
final class Outside {
  private static final Logger LOG = LoggerFactory.getLogger(Outside.class);
  private static final Path FORWARDING = Path.of("/proc/sys/net/ipv4/ip_forward");
  private static final String IPV4 = "ip";
  private static final String IPV6 = "ip6";

  private final Optional<Program> nft;
  private final AtomicBoolean told = new AtomicBoolean();

  Outside(Optional<Program> nft) {
    this.nft = nft;
  }

  /** @param subnet6 the functions' IPv6 network, if they have one */
  void open(String bridge, Subnet subnet, Optional<Subnet6> subnet6) {
    if (nft.isEmpty()) {
      tell("nft is missing: apt install nftables");
      return;
    }
    try {
      let(IPV4, bridge, subnet.toString());
      if (Files.readString(FORWARDING).strip().equals("0")) {
        Files.writeString(FORWARDING, "1");
      }
      if (subnet6.isPresent()) {
        // Also on a machine without a way out: whatever else is routed here, nobody may call functions.
        let(IPV6, bridge, subnet6.get().toString());
        if (HostIpv6.leadsOutside()) {
          HostIpv6.forward();
        }
      }
    } catch (EngineException | IOException e) {
      tell(String.valueOf(e.getMessage()));
    }
  }

  private void let(String family, String bridge, String subnet) {
    nft.orElseThrow().run("letting functions reach other machines", table(family, bridge, subnet), "-f", "-");
  }

  /** All or nothing: the table is there as it was, or as it shall be. */
  private static List<String> table(String family, String bridge, String subnet) {
    String quoted = '"' + bridge + '"';
    return List.of(
        "add table " + family + " " + bridge,
        "delete table " + family + " " + bridge,
        "table " + family + " " + bridge + " {",
        "chain outgoing { type nat hook postrouting priority srcnat; policy accept;",
        family + " saddr " + subnet + " oifname != " + quoted + " masquerade; }",
        "chain passing { type filter hook forward priority filter; policy accept;",
        "iifname " + quoted + " oifname " + quoted + " drop;",
        "iifname " + quoted + " accept;",
        "oifname " + quoted + " ct state established,related accept;",
        // Led there by the gateway, from a function's own address.
        "oifname " + quoted + " ct status dnat accept;",
        "oifname " + quoted + " drop; }",
        "}");
  }

  void mend(String bridge, Subnet subnet, Optional<Subnet6> subnet6) {
    if (nft.isPresent() && !(there(IPV4, bridge) && (subnet6.isEmpty() || there(IPV6, bridge)))) {
      open(bridge, subnet, subnet6);
    }
  }

  void close(String bridge) {
    for (String family : List.of(IPV4, IPV6)) {
      if (nft.isPresent() && there(family, bridge)) {
        nft.get().run("removing packet filter table " + bridge, List.of("delete table " + family + " " + bridge), "-f", "-");
      }
    }
  }

  private boolean there(String family, String bridge) {
    try {
      nft.orElseThrow().run("looking for table " + bridge, List.of("list table " + family + " " + bridge), "-f", "-");
      return true;
    } catch (EngineException e) {
      return false;
    }
  }

  private void tell(String why) {
    if (told.compareAndSet(false, true)) {
      LOG.warn("functions reach the gateway, but no other machine: {}", why);
    }
  }
}

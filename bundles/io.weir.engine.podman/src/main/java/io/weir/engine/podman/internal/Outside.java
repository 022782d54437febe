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
 * our own, named as the bridge. Functions work without it, they just reach nobody but the gateway.
 */
final class Outside {
  private static final Logger LOG = LoggerFactory.getLogger(Outside.class);
  private static final Path FORWARDING = Path.of("/proc/sys/net/ipv4/ip_forward");

  private final Optional<Program> nft;
  private final AtomicBoolean told = new AtomicBoolean();

  Outside(Optional<Program> nft) {
    this.nft = nft;
  }

  void open(String bridge, Subnet subnet) {
    if (nft.isEmpty()) {
      tell("nft is missing: apt install nftables");
      return;
    }
    try {
      nft.get().run("letting functions reach other machines", table(bridge, subnet), "-f", "-");
      if (Files.readString(FORWARDING).strip().equals("0")) {
        Files.writeString(FORWARDING, "1");
      }
    } catch (EngineException | IOException e) {
      tell(String.valueOf(e.getMessage()));
    }
  }

  /** All or nothing: the table is there as it was, or as it shall be. */
  private static List<String> table(String bridge, Subnet subnet) {
    String quoted = '"' + bridge + '"';
    return List.of(
        "add table ip " + bridge,
        "delete table ip " + bridge,
        "table ip " + bridge + " {",
        "chain outgoing { type nat hook postrouting priority srcnat; policy accept;",
        "ip saddr " + subnet + " oifname != " + quoted + " masquerade; }",
        "chain passing { type filter hook forward priority filter; policy accept;",
        "iifname " + quoted + " oifname " + quoted + " drop;",
        "iifname " + quoted + " accept;",
        "oifname " + quoted + " ct state established,related accept;",
        "oifname " + quoted + " drop; }",
        "}");
  }

  void mend(String bridge, Subnet subnet) {
    if (nft.isPresent() && !there(bridge)) {
      open(bridge, subnet);
    }
  }

  void close(String bridge) {
    if (nft.isPresent() && there(bridge)) {
      nft.get().run("removing packet filter table " + bridge, List.of("delete table ip " + bridge), "-f", "-");
    }
  }

  private boolean there(String bridge) {
    try {
      nft.orElseThrow().run("looking for table " + bridge, List.of("list table ip " + bridge), "-f", "-");
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

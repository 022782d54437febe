package io.weir.kura.internal;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What Kura's process may do. Kura gives it less than Weir's part in the kernel wants. */
final class Capabilities {
  /** Numbers of linux/capability.h. */
  private static final Map<String, Integer> WANTED = new LinkedHashMap<>();
  private static final int SYS_ADMIN = 21;

  static {
    WANTED.put("cap_bpf", 39);
    WANTED.put("cap_perfmon", 38);
    WANTED.put("cap_net_admin", 12);
  }

  private Capabilities() {}

  /** What is missing, and what to do about it; empty if nothing is. */
  static String missing(Path processStatus) {
    BigInteger effective;
    try (Stream<String> lines = Files.lines(processStatus)) {
      effective = lines.filter(line -> line.startsWith("CapEff:")).map(line -> new BigInteger(line.substring(7).strip(), 16))
          .findFirst().orElse(BigInteger.ZERO);
    } catch (IOException e) {
      return "";
    }
    List<String> missing = WANTED.entrySet().stream().filter(wanted -> !effective.testBit(wanted.getValue()))
        .filter(wanted -> wanted.getKey().equals("cap_net_admin") || !effective.testBit(SYS_ADMIN)).map(Map.Entry::getKey)
        .toList();
    return missing.isEmpty() ? "" : "Kura's process has not " + String.join(", ", missing) + ", so the kernel counts and "
        + "leads nothing and the gateway does it itself; write to /etc/systemd/system/kura.service.d/weir.conf the lines "
        + "[Service] and AmbientCapabilities=" + String.join(" ", missing) + ", then run systemctl daemon-reload and "
        + "systemctl restart kura (the Debian package weir-kura does this)";
  }
}

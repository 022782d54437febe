package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.kernel.internal.Layout.Service;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayoutTest {
  @TempDir Path folder;

  /** A C compiler is the judge: it writes each structure with telling values, byte by byte. */
  @Test
  void structuresAreThoseOfTheHeader() throws Exception {
    Map<String, String> c = fromC();

    byte[] four = Layout.address(InetAddress.getByName("1.2.3.4"));
    byte[] six = Layout.address(InetAddress.getByName("fd00::9"));
    assertThat(hex(new Instance(7, 8, four, six, 9, 10, 11, 12, 13, 8080, 14).bytes())).isEqualTo(c.get("instance"));
    assertThat(hex(new Service(1, 2, 3, 4, List.of(5, 6)).bytes())).isEqualTo(c.get("service"));
    assertThat(hex(Layout.serviceKey(9001))).isEqualTo(c.get("key"));
    assertThat(hex(Layout.prefix(3, Network.of("1.2.3.4").get(0)))).isEqualTo(c.get("prefix"));
    assertThat(hex(Layout.target(four, 8080))).isEqualTo(c.get("target"));
    assertThat(hex(Layout.egress(List.of(443, 53)))).isEqualTo(c.get("egress"));
    assertThat(c).containsEntry("load", "" + Layout.LOAD).containsEntry("counters", "" + Layout.COUNTERS)
        .containsEntry("histogram", "" + Layout.HISTOGRAM).containsEntry("buckets", "" + Layout.BUCKETS)
        .containsEntry("services", "" + Layout.SERVICES).containsEntry("instances", "" + Layout.INSTANCES)
        .containsEntry("fanout", "" + Layout.FANOUT).containsEntry("notes", "" + Notes.count()).containsEntry("version", "" + Layout.VERSION);
    Signal signal = Signal.of(Layout.buffer(bytes(c.get("signal"))));
    assertThat(signal).isEqualTo(new Signal(1, 2, 3, 4, 5, 6, 7, 8080, 10));
    Tally tally = Tally.at(bytes(c.get("tally")), 0);
    assertThat(tally.counts(2)).isEqualTo(new io.weir.kernel.Meter.Counts(1, List.of(2L, 3L, 4L, 5L, 6L, 7L), 2, 8, 9, 10,
        11, 13, 14));
  }

  @Test
  void anInstanceIsReadAsItWasWritten() throws Exception {
    Instance instance = new Instance(Instance.shortId("ab".repeat(32)), 8, Layout.address(InetAddress.getByName("1.2.3.4")),
        new byte[16], 9, Layout.LIVE, 11, 12, 13, 8080, 14);

    assertThat(Instance.of(instance.bytes())).isEqualTo(instance);
    assertThat(instance.gone().has(Layout.LIVE)).isFalse();
    assertThat(instance.gone().generation()).isEqualTo(12);
  }

  private Map<String, String> fromC() throws Exception {
    Path source = folder.resolve("layout.c");
    Files.writeString(source, """
        #include <stdio.h>
        #include <string.h>
        #include <arpa/inet.h>
        #include "weir_event.h"
        #include "weir_sockets.h"
        static void hex(const char *name, const void *at, unsigned size)
        {
          printf("%s ", name);
          for (unsigned i = 0; i < size; i++) printf("%02x", ((const unsigned char *) at)[i]);
          puts("");
        }
        #define HEX(x) hex(#x, &x, sizeof(x))
        int main(void)
        {
          struct weir_instance instance = { .container = 7, .cgroup = 8, .function = 9, .flags = 10, .generation = 11,
            .ifindex = 12, .limit = 13, .port = htons(8080), .asleep_ns = 14 };
          struct weir_service service = { 1, 2, 3, 4, 2, { 5, 6 } };
          struct weir_service_key key = { .port = htons(9001), .protocol = 6 };
          struct weir_prefix prefix = { .length = 32 + 128, .function = htonl(3) };
          struct weir_egress egress = { .port = { htons(443), htons(53) } };
          struct weir_signal signal = { 1, 2, 3, 4, 5, 6, 7, htons(8080), 10 };
          struct weir_counters tally = { 1, { 2, 3, 4, 5, 6, 7 }, 8, 9, 10, 11, 12, 13, 14 };
          struct weir_target target = { .port = htons(8080) };
          inet_pton(AF_INET6, "::ffff:1.2.3.4", &target.address);
          inet_pton(AF_INET6, "::ffff:1.2.3.4", &instance.address4);
          inet_pton(AF_INET6, "fd00::9", &instance.address6);
          inet_pton(AF_INET6, "::ffff:1.2.3.4", &prefix.address);
          HEX(instance); HEX(service); HEX(key); HEX(prefix); HEX(egress); HEX(signal); HEX(tally); HEX(target);
          printf("load %zu\\ncounters %zu\\nhistogram %zu\\nbuckets %d\\nservices %d\\ninstances %d\\nfanout %d\\nnotes %d\\nversion %d\\n",
            sizeof(struct weir_load), sizeof(struct weir_counters), sizeof(struct weir_histogram), WEIR_BUCKETS,
            WEIR_SERVICES, WEIR_INSTANCES, WEIR_FANOUT, WEIR_NOTES, WEIR_VERSION);
        }
        """);
    Path include = Path.of("../../ebpf-native/include").toAbsolutePath().normalize();
    run("gcc", "-I" + include, "-o", folder.resolve("layout").toString(), source.toString());
    Map<String, String> values = new HashMap<>();
    for (String line : run(folder.resolve("layout").toString()).lines().toList()) {
      values.put(line.split(" ")[0], line.split(" ")[1]);
    }
    return values;
  }

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(said).isZero();
    return said;
  }

  private static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte each : bytes) {
      text.append(String.format("%02x", each));
    }
    return text.toString();
  }

  private static byte[] bytes(String hex) {
    byte[] bytes = new byte[hex.length() / 2];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
    }
    return bytes;
  }
}

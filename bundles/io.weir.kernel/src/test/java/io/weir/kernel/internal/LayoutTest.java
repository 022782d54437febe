package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.kernel.Adaptor;
import io.weir.kernel.internal.Layout.Service;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayoutTest {
  private static final Path INCLUDE = Path.of("../../ebpf-native/include").toAbsolutePath().normalize();

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
    assertThat(c).containsEntry("counters", "" + Layout.COUNTERS)
        .containsEntry("histogram", "" + Layout.HISTOGRAM).containsEntry("buckets", "" + Layout.BUCKETS)
        .containsEntry("services", "" + Layout.SERVICES).containsEntry("instances", "" + Layout.INSTANCES)
        .containsEntry("fanout", "" + Layout.FANOUT).containsEntry("notes", "" + Notes.count()).containsEntry("version", "" + Layout.VERSION);
    Signal signal = Signal.of(Layout.buffer(bytes(c.get("signal"))));
    assertThat(signal).isEqualTo(new Signal(1, 2, 3, 4, 5, 6, 7, 8080, 10, true));
    Tally tally = Tally.at(bytes(c.get("tally")), 0);
    assertThat(tally.counts(2)).isEqualTo(new io.weir.kernel.Meter.Counts(1, List.of(2L, 3L, 4L, 5L, 6L, 7L), 2, 8, 9, 10,
        11, 13, 14));
    assertThat(new Reading(bytes(c.get("load")), bytes(c.get("tally"))).load("c", 0, 10))
        .isEqualTo(new io.weir.kernel.Traffic.Load("c", 1, 2, 1, 7));
  }

  @Test
  void structuresOfTheShortcutAreThoseOfTheHeader() throws Exception {
    Map<String, String> c = fromC();

    assertThat(hex(Adapting.pair(new InetSocketAddress("1.2.3.4", 8080), new InetSocketAddress("fd00::9", 9001))))
        .isEqualTo(c.get("pair"));
    assertThat(hex(Layout.config(1))).isEqualTo(c.get("config"));
    assertThat(hex(Layout.shortcutSettings(1, 2))).isEqualTo(c.get("settings"));
    assertThat(Layout.Led.of(bytes(c.get("idle")))).isEqualTo(new Layout.Led(2, 3, false));
    assertThat(Layout.Led.of(bytes(c.get("busy")))).isEqualTo(new Layout.Led(2, 3, true));
  }

  @Test
  void structuresOfTheAdaptorAreThoseOfTheHeader() throws Exception {
    Map<String, String> c = fromC();
    String head = "POST / HTTP/1.1\r\nX:" + " ".repeat(64 - 23) + "\r\n\r\n";

    assertThat(hex(Adapting.end(1, Adapting.BROKER, 3))).isEqualTo(c.get("end"));
    assertThat(hex(Adapting.subscription(1, 2, 5))).isEqualTo(c.get("subscription"));
    assertThat(hex(Adapting.topic(1, "a/ö"))).isEqualTo(c.get("topic"));
    assertThat(hex(Adapting.template(1, new Adaptor.Head(head, 3, 4, 5)))).isEqualTo(c.get("template"));
    assertThat(hex(Adapting.lane(true, 2, 3, 4, 7))).isEqualTo(c.get("lane"));
    assertThat(Layout.buffer(bytes(c.get("passed"))).getLong()).as("bytes").isEqualTo(1);
    assertThat(Adapting.flight(bytes(c.get("flight"))))
        .isEqualTo(new Adaptor.Flight(66, 63, 7, true, true, List.of(63 + 1000, 65535, 1 + 1000)));
    assertThat(Adapting.flight(bytes(c.get("wrapped"))))
        .isEqualTo(new Adaptor.Flight(1, -1, 0, false, false, List.of(64, 65)));
    assertThat(c).containsEntry("subscriptions", "" + Adapting.SUBSCRIPTIONS).containsEntry("lanes", "" + Adapting.LANES)
        .containsEntry("depth", "" + Adapting.DEPTH).containsEntry("topic_length", "" + Adapting.TOPIC)
        .containsEntry("head_length", "" + Adapting.HEAD).containsEntry("client", "" + Adapting.CLIENT)
        .containsEntry("broker", "" + Adapting.BROKER).containsEntry("function", "" + Adapting.FUNCTION);
  }

  /** So that none is added which nobody compares. */
  @Test
  void everyStructureThatIsSharedHasItsSizeHere() throws Exception {
    Map<String, Integer> sizes = new TreeMap<>(Map.of("weir_service_key", Layout.SERVICE_KEY, "weir_service", Layout.SERVICE,
        "weir_instance", Layout.INSTANCE, "weir_load", Layout.LOAD, "weir_counters", Layout.COUNTERS, "weir_histogram",
        Layout.HISTOGRAM, "weir_signal", Layout.SIGNAL, "weir_prefix", Layout.PREFIX, "weir_egress", Layout.EGRESS));
    sizes.putAll(Map.of("weir_pair", Layout.PAIR, "weir_target", Layout.TARGET, "weir_shortcut_settings",
        Layout.SHORTCUT_SETTINGS, "weir_shortcut", Layout.SHORTCUT));
    sizes.putAll(Map.of("weir_adapt_end", Adapting.END, "weir_adapt_subscription", Adapting.SUBSCRIPTION,
        "weir_adapt_passed", Adapting.PASSED, "weir_adapt_topic", Adapting.TOPIC_KEY, "weir_adapt_template",
        Adapting.TEMPLATE, "weir_adapt_lane", Adapting.LANE, "weir_adapt_flight", Adapting.FLIGHT));
    sizes.put("weir_listener_key", 16);   // the programs' own, nobody here reads it

    Map<String, Integer> asserted = new TreeMap<>();
    Set<String> declared = new TreeSet<>();
    for (String header : List.of("weir_event.h", "weir_sockets.h")) {
      String text = Files.readString(INCLUDE.resolve(header));
      Pattern.compile("^WEIR_ASSERT_SIZE\\((\\w+), (\\d+)\\)", Pattern.MULTILINE).matcher(text).results()
          .forEach(each -> asserted.put(each.group(1), Integer.valueOf(each.group(2))));
      Pattern.compile("^struct (\\w+) \\{", Pattern.MULTILINE).matcher(text).results()
          .forEach(each -> declared.add(each.group(1)));
    }

    declared.remove("weir_addr");   // has no layout, being bytes
    assertThat(asserted).isEqualTo(sizes).containsOnlyKeys(declared);
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
        #include "weir_route.h"
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
          struct weir_signal signal = { 1, 2, 3, 4, 5, 6, 7, htons(8080), 10, 1 };
          struct weir_counters tally = { 1, { 2, 3, 4, 5, 6, 7 }, 8, 9, 10, 11, 12, 13, 14 };
          struct weir_target target = { .port = htons(8080) };
          struct weir_load load = { 1, 2, 3, 4 };
          struct weir_config config = { 1 };
          struct weir_pair pair = { .local_port = htons(8080), .remote_port = htons(9001) };
          struct weir_shortcut_settings settings = { 1, 2 };
          struct weir_shortcut idle = { 1, { 2, 3 }, 4, 5, { 1, 1 }, { 6, 7 }, 8, 8, 9 }, busy = idle;
          struct weir_adapt_end end = { 1, WEIR_ADAPT_BROKER, 3 };
          struct weir_adapt_subscription subscription = { 1, 2, 5 };
          struct weir_adapt_passed passed = { 1, 2 };
          struct weir_adapt_topic topic = { 1, "a/\u00f6" };
          struct weir_adapt_template template = { 1, 64, 3, 4, 5 };
          struct weir_adapt_lane lane = { 1, 2, 3, 4, WEIR_DEPTH, 0, 7 };
          struct weir_adapt_flight flight = { 66, 63, 1, 5, 6, 1, 7 }, wrapped = { 1, -1 };
          inet_pton(AF_INET6, "::ffff:1.2.3.4", &target.address);
          inet_pton(AF_INET6, "::ffff:1.2.3.4", &instance.address4);
          inet_pton(AF_INET6, "fd00::9", &instance.address6);
          inet_pton(AF_INET6, "::ffff:1.2.3.4", &prefix.address);
          inet_pton(AF_INET6, "::ffff:1.2.3.4", &pair.local);
          inet_pton(AF_INET6, "fd00::9", &pair.remote);
          busy.asked++;
          memset(template.head, ' ', 64);
          memcpy(template.head, "POST / HTTP/1.1\\r\\nX:", 19);
          memcpy(template.head + 60, "\\r\\n\\r\\n", 4);
          for (int i = 0; i < WEIR_DEPTH; i++) flight.id[i] = 1000 + i, flight.sent_ns[i] = -1, wrapped.id[i] = 1 + i;
          flight.id[0] = 65535;
          wrapped.id[0] = 65;
          HEX(load); HEX(config); HEX(pair); HEX(settings); HEX(idle); HEX(busy); HEX(end); HEX(subscription); HEX(passed);
          HEX(topic); HEX(template); HEX(lane); HEX(flight); HEX(wrapped);
          printf("subscriptions %d\\nlanes %d\\ndepth %d\\ntopic_length %d\\nhead_length %d\\nclient %d\\nbroker %d\\nfunction %d\\n",
            WEIR_SUBSCRIPTIONS, WEIR_LANES, WEIR_DEPTH, WEIR_TOPIC, WEIR_HEAD, WEIR_ADAPT_CLIENT, WEIR_ADAPT_BROKER, WEIR_ADAPT_FUNCTION);
          HEX(instance); HEX(service); HEX(key); HEX(prefix); HEX(egress); HEX(signal); HEX(tally); HEX(target);
          printf("counters %zu\\nhistogram %zu\\nbuckets %d\\nservices %d\\ninstances %d\\nfanout %d\\nnotes %d\\nversion %d\\n",
            sizeof(struct weir_counters), sizeof(struct weir_histogram), WEIR_BUCKETS,
            WEIR_SERVICES, WEIR_INSTANCES, WEIR_FANOUT, WEIR_NOTES, WEIR_VERSION);
        }
        """);
    run("gcc", "-I" + INCLUDE, "-o", folder.resolve("layout").toString(), source.toString());
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

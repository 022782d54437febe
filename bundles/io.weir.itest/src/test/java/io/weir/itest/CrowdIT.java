package io.weir.itest;

import static io.weir.itest.Lab.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Many functions, and many connections to one. */
class CrowdIT {
  private static final int FUNCTIONS = 1000;
  private static final int CONNECTIONS = 10_000;
  private static final long MOST_KIB = 256 << 10;
  private static Device device;
  private static Lab lab;

  @BeforeAll
  static void start() throws Exception {
    device = new Device();
    int first = 13_000 + (int) (ProcessHandle.current().pid() % 4) * 1500;
    lab = new Lab("crowd", Map.of("io.weir.activator/ports", first + "-" + (first + 1499)), device);
  }

  @AfterAll
  static void stop() throws Exception {
    lab.close();
  }

  @Test
  void eachOfAThousandFunctionsHasAnAddressThatAnswers() throws Exception {
    long before = residentKib();

    lab.gateway.deploy(functions(0, FUNCTIONS));
    lab.port("f" + (FUNCTIONS - 1));

    Set<Object> ports = new HashSet<>();
    List<Map<String, Object>> all = lab.gateway.list("/api/v1/functions", "functions");
    all.forEach(each -> {
      assertThat(((Map<?, ?>) each.get("service")).get("problem")).as(each.get("name").toString()).isNull();
      ports.add(((Map<?, ?>) each.get("service")).get("port"));
    });
    assertThat(ports).as("different ports").hasSize(all.size());
    for (int i : new int[] {0, 250, 500, 750, FUNCTIONS - 1}) {
      String name = "f" + i;
      int port = lab.port(name);
      try (Caller asleep = device.call(port)) {
        assertThat(asleep.get("/").headers()).containsEntry("x-name", name);
      }
      try (Caller awake = lab.direct(() -> device.call(port), name)) {
        assertThat(awake.get("/").headers()).containsEntry("x-name", name);
      }
    }
    assertThat(residentKib() - before).as("KiB more that the gateway holds").isLessThan(MOST_KIB);
  }

  private static String functions(int from, int to) {
    StringBuilder yaml = new StringBuilder("functions:\n");
    for (int i = from; i < to; i++) {
      yaml.append("  f").append(i).append(": {image: \"localhost/probe:1\", memory: 32MiB, rest: image, env: {NAME: f").append(i)
          .append("}}\n");
    }
    return yaml.toString();
  }

  /** The kernel's maps hold 1024; the gateway serves the others as if there were no kernel, and says so. */
  @Test
  void functionsThatTheKernelHasNoRoomForAnswerAndSayWhoCarriesTheirConnections() throws Exception {
    int many = FUNCTIONS + 60;
    lab.gateway.deploy(functions(0, many));
    int expected = lab.gateway.list("/api/v1/functions", "functions").size() - 1024;
    try {
      await().atMost(SOON).until(() -> carried().size() == expected);
      Map<?, ?> one = (Map<?, ?>) carried().get(0).get("service");
      String name = carried().get(0).get("name").toString();
      int port = ((Number) one.get("port")).intValue();

      assertThat(one.get("problem").toString()).contains("the gateway carries its connections itself").contains("1024");
      assertThat(one.get("way")).isEqualTo("proxy");
      assertThat(one.get("addresses").toString()).contains(device.gateway() + ":" + port).contains("127.0.0.1:" + port);
      assertThat(lab.gateway.weir("list").out()).contains("problem " + name + ": the gateway carries");
      assertThat(lab.gateway.list("/api/v1/status", "parts")).anySatisfy(part -> assertThat(part.get("state").toString())
          .contains(expected + " of them carried"));
      assertThat(lab.gateway.get("/api/v1/metrics").body()).contains("\nweir_functions_carried " + expected + "\n");
      for (int i = 0; i < 2; i++) {
        try (Caller caller = device.call(port)) {
          assertThat(caller.get("/").headers()).containsEntry("x-name", name);
        }
      }
    } finally {
      for (int i = FUNCTIONS; i < many; i++) {
        lab.gateway.delete("/api/v1/functions/f" + i);
      }
    }
    await("those that are left have room").atMost(SOON).until(() -> carried().isEmpty());
  }

  private static List<Map<String, Object>> carried() {
    return lab.gateway.list("/api/v1/functions", "functions").stream()
        .filter(each -> each.get("service") instanceof Map<?, ?> service && service.get("problem") != null).toList();
  }

  private static long residentKib() throws IOException {
    return Files.readString(Path.of("/proc/" + lab.gateway.pid() + "/status")).lines()
        .filter(line -> line.startsWith("VmRSS:")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum();
  }

  @Test
  void tenThousandConnectionsStayOpenToOneFunctionAndAllAreAnswered() throws Exception {
    lab.gateway.importProgram("localhost/hall:1", Programs.compileStatic("hall"), "1");
    lab.gateway.deploy("functions:\n  hall: {image: \"localhost/hall:1\", memory: 256MiB, rest: running, concurrency: 1000}\n");
    int port = lab.port("hall");
    lab.direct(() -> device.call(port), "hall").close();
    int carried = lab.invocations("hall");
    long connections = lab.metered("hall", "connections");
    long requests = lab.metered("hall", "requests");

    String answered = device.exec(Programs.compile("throng").toString(), device.gateway(), "" + port, "" + CONNECTIONS);

    assertThat(answered).isEqualTo("" + 2 * CONNECTIONS);
    await().atMost(SOON).untilAsserted(() -> {
      assertThat(lab.metered("hall", "requests") - requests).isEqualTo(2 * CONNECTIONS);
      assertThat(lab.metered("hall", "connections") - connections).isEqualTo(CONNECTIONS);
      assertThat(lab.metered("hall", "inFlight")).isZero();
    });
    assertThat(lab.invocations("hall")).as("requests through the gateway").isEqualTo(carried);
  }
}

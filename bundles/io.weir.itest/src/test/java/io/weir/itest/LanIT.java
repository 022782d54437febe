package io.weir.itest;

import static io.weir.itest.Lab.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Networks of several kinds between devices and one gateway. */
class LanIT {
  private static final int MEGABYTE = 1 << 20;
  private static Device narrow;
  private static Device wide;
  private static VlanDevice tagged;
  private static Lab lab;

  @BeforeAll
  static void start() throws Exception {
    narrow = new Device(1280);
    wide = new Device(9000);
    tagged = new VlanDevice();
    lab = new Lab("lan", Map.of("io.weir.activator/interfaces", narrow.port() + "," + wide.port() + "," + tagged.port()),
        narrow, wide);
  }

  @AfterAll
  static void stop() throws Exception {
    try {
      lab.close();
    } finally {
      tagged.close();
    }
  }

  @Test
  void devicesOnEveryInterfaceAreLedAndBodiesStayWhole() throws Exception {
    int port = lab.deploy("echo");
    byte[] body = new byte[MEGABYTE];
    new Random(1).nextBytes(body);
    for (Device device : List.of(narrow, wide, tagged.device())) {
      for (String host : List.of(device.gateway(), device.gateway6())) {
        try (Caller caller = lab.direct(() -> device.call(host, port), "echo")) {
          for (int i = 0; i < 3; i++) {
            assertThat(caller.post("/", body).bytes()).as(host).isEqualTo(body);
          }
        }
      }
    }
  }

  @Test
  void bodiesStayWholeWhileTheGatewayCarriesThem() throws Exception {
    int port = lab.deploy("held-echo");
    byte[] body = new byte[MEGABYTE];
    new Random(2).nextBytes(body);
    for (Device device : List.of(narrow, wide, tagged.device())) {
      for (String host : List.of(device.gateway(), device.gateway6())) {
        lab.gateway.rest("held-echo", "image");
        try (Caller caller = device.call(host, port)) {
          assertThat(caller.post("/", body).bytes()).as(host).isEqualTo(body);
        }
      }
    }
  }

  @Test
  void anInterfaceThatVanishesIsTakenUpAgainAndOthersDoNotNotice() throws Exception {
    int port = lab.deploy("steady");
    try (Caller kept = lab.direct(() -> narrow.call(port), "steady")) {
      lab.direct(() -> wide.call(port), "steady").close();

      wide.unplug();

      await().atMost(SOON).until(() -> !lab.service("steady").get("addresses").toString().contains(wide.gateway() + ":"));
      assertThat(kept.post("/", "still").body()).isEqualTo("still");

      wide.plug();

      assertThat(lab.port("steady")).isEqualTo(port);
      for (String host : List.of(wide.gateway(), wide.gateway6())) {
        try (Caller back = lab.direct(() -> wide.call(host, port), "steady")) {
          assertThat(back.post("/", "back").body()).isEqualTo("back");
        }
      }
      assertThat(kept.post("/", "still").body()).isEqualTo("still");
    }
  }
}

package io.weir.itest;

import static io.weir.itest.Lab.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever way connections go, those who call see the same. */
class WaysIT {

  @ParameterizedTest
  @ValueSource(strings = {"nft", "proxy"})
  void aFunctionAnswersAsleepAwakeAndAfterTheGatewayWasKilled(String way) throws Exception {
    Device device = new Device();
    try (Lab lab = new Lab("way-" + way, Map.of("io.weir.kernel/way", way), device)) {
      int port = lab.deploy("any");
      assertThat(lab.service("any").get("way")).isEqualTo(way);
      List<Lab.Call> everywhere = List.of(() -> device.call(port), () -> device.call(device.gateway6(), port),
          () -> new Caller("127.0.0.1", port), () -> new Caller("::1", port));
      for (Lab.Call from : everywhere) {
        for (String rung : List.of("image", "frozen")) {
          try (Caller caller = from.open()) {
            assertThat(caller.post("/", "up").body()).isEqualTo("up");
          }
          lab.gateway.rest("any", rung);
          // The packet filter is told on a thread of its own, a moment after the instance is gone.
          await().atMost(SOON).ignoreException(IOException.class).untilAsserted(() -> answers(from, "asleep " + rung));
        }
        answers(from, "awake");
      }
      String before = lab.gateway.instancesOf("any").get(0).get("name").toString();

      lab.gateway.killAndRestart();

      assertThat(lab.port("any")).isEqualTo(port);
      for (Lab.Call from : everywhere) {
        answers(from, "after the restart");
      }
      // Some ways lead there before the gateway has looked at what an earlier one left.
      await().atMost(SOON).untilAsserted(() -> assertThat(lab.gateway.instancesOf("any")).singleElement()
          .satisfies(i -> assertThat(i).containsEntry("name", before)));
      theDeadAreReplaced(lab, device, port);
    }
  }

  private static void answers(Lab.Call from, String what) throws Exception {
    for (int i = 0; i < 10;) {
      try (Caller caller = from.open()) {
        boolean open = true;
        for (; open && i < 10; i++) {
          Caller.Answer answer = caller.post("/", what + i);
          assertThat(answer.body()).isEqualTo(what + i);
          open = !answer.closes();
        }
      }
    }
  }

  private static void theDeadAreReplaced(Lab lab, Device device, int port) throws Exception {
    try (Caller caller = device.call(port)) {
      caller.begin("/", 4);
      lab.awaitInFlight("any", 1);
      String id = lab.gateway.instancesOf("any").get(0).get("id").toString();

      for (long pid : lab.gateway.containers().processes(id)) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
      }

      // What the client gets is the function's end, or the gateway's word on it.
      String end;
      try {
        end = "status " + caller.answer().status();
      } catch (IOException e) {
        end = e.getMessage();
      }
      assertThat(end).isIn("closed", "Connection reset", "status 502");
    }
    await().atMost(SOON).ignoreException(IOException.class).untilAsserted(() -> {
      try (Caller next = device.call(port)) {
        assertThat(next.post("/", "alive").body()).isEqualTo("alive");
      }
    });
  }
}

package io.weir.itest;

import static io.weir.itest.Lab.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The meter in the kernel and the function count the same; bench/run.sh count does it with a million requests. */
class MeterIT {
  private static final String NAME = "counted";
  private static final Pattern SAID = Pattern.compile("gone ([0-9]+) broken ([0-9]+) whole ([0-9]+)");
  private static final String LOSS = """
      table inet loss {
        chain out { type filter hook output priority 0; numgen random mod 100 < 1 drop; }
        chain in { type filter hook input priority 0; numgen random mod 100 < 1 drop; }
      }
      """;
  private static Device device;
  private static Lab lab;
  private static int port;
  private static Path mix;

  @BeforeAll
  static void start() throws Exception {
    device = new Device();
    lab = new Lab("meter", Map.of(), device);
    port = lab.deploy(NAME, "rest: running", "concurrency: 1000");
    lab.direct(() -> device.call(port), NAME).close();
    mix = Programs.compile("mix");
  }

  @AfterAll
  static void stop() throws Exception {
    lab.close();
  }

  @Test
  void meterAndFunctionAgree() throws Exception {
    assertAgreement(20_000, false);
  }

  @Test
  void meterAndFunctionAgreeOnALineThatLosesOnePacketInAHundred() throws Exception {
    device.exec("bash", "-c", "nft -f - <<<'" + LOSS + "'");
    try {
      assertAgreement(500, true);
    } finally {
      device.exec("nft", "delete", "table", "inet", "loss");
    }
  }

  private static void assertAgreement(int requests, boolean lossy) throws Exception {
    long counted = counted();
    long metered = lab.metered(NAME, "requests");
    long connections = lab.metered(NAME, "connections");

    Matcher said = SAID.matcher(device.exec(mix.toString(), device.gateway(), "" + port, "" + requests));

    assertThat(said.find()).isTrue();
    // What a client sent that went away at once may be lost for good; so it never came, neither to the meter.
    long gone = lossy ? Long.parseLong(said.group(1)) : 0;
    long broken = Long.parseLong(said.group(2));
    long whole = Long.parseLong(said.group(3));
    long function = counted() - counted - 1;   // without the first question; the second counts only itself
    assertThat(function).as("what the function got, of what was sent whole").isBetween(whole - gone, whole);
    await().atMost(SOON).untilAsserted(() -> assertThat(lab.metered(NAME, "inFlight")).isZero());
    assertThat(lab.metered(NAME, "requests") - metered).as("what the meter counted: what the function got, the question "
        + "after that, and %s heads that broke off, which a function never sees whole", broken)
        .isBetween(function + 1 + (lossy ? 0 : broken), function + 1 + broken);
    assertThat(lab.metered(NAME, "connections")).as("connections").isGreaterThan(connections);
  }

  private static long counted() {
    return Long.parseLong(lab.gateway.get("/function/" + NAME + "/count").body());
  }
}

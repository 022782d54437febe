package io.weir.cli.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.cli.gateway.FakeGateway;
import io.weir.cli.gateway.Gateway;
import io.weir.cli.ui.Terminal;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReplayTest {
  private record Sent(String topic, String payload, String contentType, Map<String, String> properties) {}

  private final ConcurrentLinkedQueue<Sent> messages = new ConcurrentLinkedQueue<>();
  private final Ledger ledger = new Ledger("run", List.of("a"), System::nanoTime);
  private FakeGateway fake;

  @BeforeEach
  void start() throws IOException {
    fake = new FakeGateway();
  }

  @AfterEach
  void stop() {
    fake.close();
  }

  private static String ended(String id) {
    return "{\"invocation\":\"" + id + "\",\"function\":\"a\",\"result\":\"no-content\",\"status\":204,\"tookMs\":1}";
  }

  private Ledger.Account replay(int rows, Replay.Plan plan, Replay.Sender sender) throws InterruptedException {
    var nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    var progress = new Terminal(nowhere, nowhere, true, false, false).progress("", rows, "");
    return new Replay(new Gateway(fake.url()), sender, plan, ledger, progress)
        .run(IntStream.range(0, rows).mapToObj(i -> new CsvColumn.Row(Integer.toString(i), "t" + i)).iterator());
  }

  private static Replay.Plan plan(double rate, int inFlight, long patienceMillis) {
    return new Replay.Plan("t/x", 1, false, rate, Long.MAX_VALUE, inFlight, patienceMillis);
  }

  @Test
  void accountsForEveryMessageByTheGatewaysEvents() throws InterruptedException {
    Ledger.Account account = replay(500, plan(0, 8, 10_000), (topic, payload, qos, type, properties, done) -> {
      messages.add(new Sent(topic, new String(payload, StandardCharsets.UTF_8), type, properties));
      fake.event("ended", ended(properties.get("id")));
      done.accept(null);
    });

    assertThat(account.complete()).isTrue();
    assertThat(account.sent()).isEqualTo(500);
    assertThat(messages).hasSize(500).first().isEqualTo(new Sent("t/x", "{\"value\":0.0,\"timestamp\":\"t0\"}", "application/json",
        Map.of("specversion", "1.0", "id", "run-0", "source", "weir-replay", "type", "io.weir.replay")));
  }

  @Test
  void neverRunsFurtherAheadThanAllowed() throws InterruptedException {
    List<Integer> open = Collections.synchronizedList(new java.util.ArrayList<>());

    replay(100, plan(0, 3, 10_000), (topic, payload, qos, type, properties, done) -> {
      open.add(ledger.inFlight());
      fake.event("ended", ended(properties.get("id")));
    });

    assertThat(open).allMatch(n -> n <= 3);
  }

  @Test
  void asksTheGatewayForOutcomesThatTheStreamLost() throws InterruptedException {
    fake.answer("GET /invocations", 200, "{\"invocations\":[" + ended("run-1") + "," + ended("run-0") + "]}");

    Ledger.Account account = replay(2, plan(0, 8, 50), (topic, payload, qos, type, properties, done) -> {});

    assertThat(account.complete()).isTrue();
  }

  @Test
  void followsAStreamThatBreaks() throws InterruptedException {
    Ledger.Account account = replay(10, plan(0, 1, 10_000), (topic, payload, qos, type, properties, done) -> {
      if (properties.get("id").equals("run-5")) {
        fake.endEvents();
      }
      fake.event("ended", ended(properties.get("id")));
    });

    assertThat(account.complete()).isTrue();
  }

  @Test
  void givesUpOnMessagesThatNobodyAnswers() throws InterruptedException {
    fake.answer("GET /invocations", 200, "{\"invocations\":[]}");

    Ledger.Account account = replay(2, plan(0, 8, 50), (topic, payload, qos, type, properties, done) -> {});

    assertThat(account.complete()).isFalse();
    assertThat(account.missing()).isEqualTo(2);
  }

  @Test
  void keepsToTheRate() throws InterruptedException {
    long before = System.nanoTime();

    replay(21, plan(200, 64, 10_000), (topic, payload, qos, type, properties, done) -> fake.event("ended", ended(properties.get("id"))));

    // Twenty pauses of 5 ms: never less, however fast or slow the machine.
    assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(100_000_000L);
  }
}

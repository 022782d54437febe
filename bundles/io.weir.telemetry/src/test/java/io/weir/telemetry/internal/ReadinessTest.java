package io.weir.telemetry.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.event.GatewayEvent;
import io.weir.event.Part;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReadinessTest {
  private final EventRing events = new EventRing(Samples.config(Map.of()));
  private boolean goingDown;
  private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private final Readiness readiness = new Readiness(events, Samples.config(Map.of("parts", "broker, http")),
      Clock.fixed(Samples.NOON, ZoneOffset.UTC), Samples.NOON.minusMillis(1500), () -> goingDown);

  ReadinessTest() {
    events.subscribe(event -> {
      if (event instanceof GatewayEvent.PartChanged part && part.part().equals("gateway")) {
        heard.add(part.state());
      }
    });
  }

  @AfterEach
  void close() throws Exception {
    readiness.close();
    events.close();
  }

  @Test
  void isReadyOnceEveryPartIs() throws Exception {
    FakePart broker = new FakePart("broker", false);
    readiness.addPart(broker);
    readiness.addPart(new FakePart("http", true));
    assertThat(events.recent()).isEmpty();
    assertThat(readiness.ready()).isFalse();
    assertThat(readiness.state()).isEqualTo("waiting for broker");

    broker.ready = true;
    events.publish(new GatewayEvent.PartChanged(Samples.NOON, "broker", "running"));

    assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("ready");
    assertThat(readiness.ready()).isTrue();
  }

  @Test
  void tellsWhenItIsNotReadyAnyMoreAndAgain() throws Exception {
    FakePart broker = new FakePart("broker", true);
    readiness.addPart(broker);
    readiness.addPart(new FakePart("http", true));
    readiness.removePart(broker);
    readiness.addPart(broker);

    assertThat(List.of(heard.take(), heard.take(), heard.take())).containsExactly("ready", "not ready", "ready");
  }

  @Test
  void saysNothingOfPartsThatLeaveBecauseEverythingStops() {
    FakePart broker = new FakePart("broker", true);
    readiness.addPart(broker);
    readiness.addPart(new FakePart("http", true));
    goingDown = true;
    readiness.removePart(broker);

    assertThat(events.recent()).hasSize(1);
  }

  private static final class FakePart implements Part {
    private final String name;
    private volatile boolean ready;

    private FakePart(String name, boolean ready) {
      this.name = name;
      this.ready = ready;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public boolean ready() {
      return ready;
    }

    @Override
    public String state() {
      return "";
    }
  }
}

package io.weir.kura.wire.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.Outcome;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.kura.type.TypedValue;
import org.eclipse.kura.type.TypedValues;
import org.eclipse.kura.wire.WireEnvelope;
import org.eclipse.kura.wire.WireRecord;
import org.eclipse.kura.wire.graph.EmitterPort;
import org.eclipse.kura.wire.graph.MultiportWireSupport;
import org.eclipse.kura.wire.graph.ReceiverPort;
import org.junit.jupiter.api.Test;
import org.osgi.service.wireadmin.Wire;
import org.osgi.util.converter.Converters;

class WireFunctionTest {
  private final Ports wires = new Ports();
  private final List<Invocation> invocations = new ArrayList<>();
  private final List<CompletableFuture<Outcome>> outcomes = new ArrayList<>();
  private final WireFunction function = new WireFunction(wires, config(Map.of("function", "thermo")), Runnable::run);

  private static FunctionConfig config(Map<String, Object> settings) {
    return Converters.standardConverter().convert(settings).to(FunctionConfig.class);
  }

  private void invoker() {
    function.setInvoker(invocation -> {
      invocations.add(invocation);
      outcomes.add(new CompletableFuture<>());
      return outcomes.get(outcomes.size() - 1);
    });
  }

  private static WireEnvelope batch(int value) {
    return new WireEnvelope("timer", List.of(new WireRecord(Map.of("n", TypedValues.newIntegerValue(value)))));
  }

  private static Outcome.Replied reply(int status, String body) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    return new Outcome.Replied(status, List.of(new Header("Content-Type", "application/json")), new Outcome.Body() {
      @Override
      public InputStream stream() {
        return new ByteArrayInputStream(bytes);
      }

      @Override
      public long length() {
        return bytes.length;
      }

      @Override
      public void close() {
        // In memory.
      }
    }, Duration.ZERO, Duration.ZERO);
  }

  private String error() {
    assertThat(wires.errors).hasSize(1);
    Map<String, TypedValue<?>> properties = wires.errors.get(0).getRecords().get(0).getProperties();
    assertThat(properties.get("weir.function").getValue()).isEqualTo("thermo");
    return (String) properties.get("weir.error").getValue();
  }

  @Test
  void makesOneInvocationOfABatchAndRecordsOfItsAnswer() throws IOException {
    invoker();
    function.onWireReceive(batch(5));
    outcomes.get(0).complete(reply(200, "[{\"alarm\": true}, {\"alarm\": false}]"));

    Invocation invocation = invocations.get(0);
    assertThat(invocation.function().value()).isEqualTo("thermo");
    assertThat(invocation.guarantee()).isEqualTo(Guarantee.AT_LEAST_ONCE);
    try (InputStream body = invocation.body().open()) {
      assertThat(body.readAllBytes()).asString(StandardCharsets.UTF_8)
          .isEqualTo("{\"emitter\":\"timer\",\"records\":[{\"n\":{\"type\":\"INTEGER\",\"value\":5}}]}");
    }
    assertThat(wires.answers).singleElement().satisfies(envelope -> assertThat(envelope.getRecords()).hasSize(2));
    assertThat(wires.errors).isEmpty();
  }

  @Test
  void emitsNothingForAnEmptyAnswer() {
    invoker();
    function.onWireReceive(batch(1));
    outcomes.get(0).complete(reply(204, ""));

    assertThat(wires.answers).isEmpty();
    assertThat(wires.errors).isEmpty();
  }

  @Test
  void tellsByItsSecondExitWhatCameToNothing() {
    function.onWireReceive(batch(1));
    assertThat(error()).isEqualTo("not-available");

    invoker();
    wires.errors.clear();
    function.onWireReceive(batch(2));
    outcomes.get(0).complete(new Outcome.Failed("timeout", "no answer within 30 s", true));
    assertThat(error()).isEqualTo("timeout");

    wires.errors.clear();
    function.onWireReceive(batch(3));
    outcomes.get(1).complete(new Outcome.Refused(Outcome.Reason.UNKNOWN_FUNCTION, "there is no function", Duration.ZERO));
    assertThat(error()).isEqualTo("unknown-function");

    wires.errors.clear();
    function.onWireReceive(batch(4));
    outcomes.get(2).complete(reply(500, "{}"));
    assertThat(error()).isEqualTo("status-500");

    wires.errors.clear();
    function.onWireReceive(batch(5));
    outcomes.get(3).complete(reply(200, "hello"));
    assertThat(error()).isEqualTo("bad-answer");
    assertThat(wires.answers).isEmpty();
  }

  @Test
  void dropsABatchThatFindsNoPlaceIfToldTo() {
    invoker();
    function.changed(config(Map.of("function", "thermo", "in.flight", 1, "when.full", "drop")));
    function.onWireReceive(batch(1));
    function.onWireReceive(batch(2));

    assertThat(invocations).hasSize(1);
    assertThat(error()).isEqualTo("queue-full");

    outcomes.get(0).complete(reply(200, "{}"));
    function.onWireReceive(batch(3));
    assertThat(invocations).hasSize(2);
  }

  @Test
  void letsTheEmitterWaitForAPlace() throws Exception {
    invoker();
    function.onWireReceive(batch(1));
    CountDownLatch second = new CountDownLatch(1);
    Thread emitter = new Thread(() -> {
      function.onWireReceive(batch(2));
      second.countDown();
    });
    emitter.start();
    while (emitter.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    assertThat(invocations).hasSize(1);

    outcomes.get(0).complete(reply(200, "{}"));

    assertThat(second.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(invocations).hasSize(2);
  }

  @Test
  void goesOnWithANameThatIsNone() {
    invoker();
    function.changed(config(Map.of("function", "thermo ")));
    function.onWireReceive(batch(1));
    assertThat(invocations).hasSize(1);
    outcomes.get(0).complete(reply(200, "{}"));
    wires.answers.clear();

    function.changed(config(Map.of("function", "No Name")));
    function.onWireReceive(batch(2));
    function.changed(config(Map.of("function", "thermo")));
    function.onWireReceive(batch(3));

    assertThat(wires.errors).hasSize(1);
    assertThat(invocations).hasSize(2);
  }

  @Test
  void keepsErrorsBackWhereThereIsOneExit() {
    wires.exits = 1;
    function.onWireReceive(batch(1));

    assertThat(wires.errors).isEmpty();
    assertThat(wires.answers).isEmpty();
  }

  private static final class Ports implements MultiportWireSupport {
    private final List<WireEnvelope> answers = new ArrayList<>();
    private final List<WireEnvelope> errors = new ArrayList<>();
    private int exits = 2;

    @Override
    public List<EmitterPort> getEmitterPorts() {
      return List.<EmitterPort>of(port(answers), port(errors)).subList(0, exits);
    }

    private static EmitterPort port(List<WireEnvelope> to) {
      return new EmitterPort() {
        @Override
        public void emit(WireEnvelope wireEnvelope) {
          to.add(wireEnvelope);
        }

        @Override
        public List<Wire> listConnectedWires() {
          return List.of();
        }
      };
    }

    @Override
    public List<ReceiverPort> getReceiverPorts() {
      return List.of();
    }

    @Override
    public WireEnvelope createWireEnvelope(List<WireRecord> records) {
      return new WireEnvelope("thermo", records);
    }

    @Override
    public void emit(List<WireRecord> wireRecords) {
      answers.add(createWireEnvelope(wireRecords));
    }

    @Override
    public void consumersConnected(Wire[] wires) {
      // Nobody asks.
    }

    @Override
    public Object polled(Wire wire) {
      return List.of();
    }

    @Override
    public void producersConnected(Wire[] wires) {
      // Nobody asks.
    }

    @Override
    public void updated(Wire wire, Object value) {
      // Nobody asks.
    }
  }
}

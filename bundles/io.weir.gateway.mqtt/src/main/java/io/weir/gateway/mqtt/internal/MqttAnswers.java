package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.Answers;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.InvocationJournal.Output;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.Outcome;
import java.io.IOException;
import java.util.List;
import java.util.function.Function;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is sent because of a message whose event ended: an answer, or nothing. */
final class MqttAnswers implements Answers {
  static final String TRIGGER = "mqtt";

  /** Hears of dead letters. */
  interface Notifier {
    void died(Accepted event, String reason, String detail);
  }

  /** Sends before the journal has what is sent, if that keeps the order. */
  interface Early {
    void send(FunctionName function, long event, Output output);
  }

  private static final Logger LOG = LoggerFactory.getLogger(MqttAnswers.class);

  private final int maxAnswerBytes;
  private final Listeners listeners;
  private final Early early;
  private final Function<FunctionName, Notifier> notifiers;

  MqttAnswers(int maxAnswerBytes, Listeners listeners, Early early, Function<FunctionName, Notifier> notifiers) {
    this.maxAnswerBytes = maxAnswerBytes;
    this.listeners = listeners;
    this.early = early;
    this.notifiers = notifiers;
  }

  @Override
  public String trigger() {
    return TRIGGER;
  }

  /** The answer itself is kept as an output only: who sends a message again wants no second one. */
  @Override
  public Ending ending(Entry entry, Outcome.Replied reply) throws IOException {
    byte[] payload;
    try (Outcome.Body body = reply.body()) {
      payload = body.stream().readNBytes(maxAnswerBytes + 1);
    }
    KeptOutcome outcome = new KeptOutcome(reply.status(), List.of(), new byte[0], "");
    if (reply.status() >= 300 || reply.status() == 204 || payload.length == 0) {
      return new Ending(outcome, List.of());
    }
    if (payload.length <= maxAnswerBytes) {
      listeners.tell(entry.invocation(), reply, payload);
    }
    Notes notes = Notes.of(entry);
    if (notes.topic().isEmpty()) {
      LOG.debug("{}: the answer to {} has no topic to go to", entry.invocation().function(), entry.invocation().subject());
      return new Ending(outcome, List.of());
    }
    if (payload.length > maxAnswerBytes) {
      LOG.error("{}: the answer to {} (invocation {}) is larger than {} bytes and is lost; raise max.answer.bytes in {} "
          + "and the broker's limit, or answer less", entry.invocation().function(), entry.invocation().subject(),
          entry.invocation().id(), maxAnswerBytes, MqttGateway.PID);
      return new Ending(outcome, List.of());
    }
    MqttProperties properties = Messages.answer(reply.headers());
    notes.correlation().ifPresent(properties::setCorrelationData);
    return new Ending(outcome, List.of(new Output(Posting.CHANNEL, notes.topic().get(), entry.order(),
        Posting.headers(notes.qos(), properties, entry.invocation().id()), payload)));
  }

  @Override
  public void ending(Accepted event, List<Output> outputs) {
    outputs.forEach(output -> early.send(event.entry().invocation().function(), event.number(), output));
  }

  @Override
  public void died(Accepted event, String reason, String detail) {
    notifiers.apply(event.entry().invocation().function()).died(event, reason, detail);
  }
}

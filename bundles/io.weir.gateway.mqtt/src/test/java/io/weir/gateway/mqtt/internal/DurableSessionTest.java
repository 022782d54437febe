package io.weir.gateway.mqtt.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Promise;
import io.weir.function.Promise.Level;
import io.weir.function.Promise.Order;
import io.weir.function.Promise.Retry;
import io.weir.function.Promise.Urgency;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import io.weir.invocation.Payload;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPubAck;
import org.eclipse.paho.mqttv5.common.packet.MqttPubComp;
import org.eclipse.paho.mqttv5.common.packet.MqttPubRec;
import org.eclipse.paho.mqttv5.common.packet.MqttPubRel;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.util.converter.Converters;

/** With a journal: what is acknowledged when, and what is sent how often, packet by packet. */
@Timeout(60)
class DurableSessionTest {
  private static final MqttProperties NONE = new MqttProperties();

  @TempDir
  Path data;

  private final FakeInvoker invoker = new FakeInvoker();
  private final FakeEvents events = new FakeEvents();
  private final FakeDurable durable = new FakeDurable();
  private ScriptedBroker broker;
  private MqttGateway gateway;

  @BeforeEach
  void start() throws Exception {
    broker = new ScriptedBroker();
    gateway = gateway();
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
    gateway.close();
  }

  private MqttGateway gateway() {
    MqttGateway made = new MqttGateway(
        Settings.of(Converters.standardConverter().convert(Map.of()).to(MqttGatewayConfig.class)), data, "0123456789ab",
        broker, invoker, events, Duration.ofHours(1));
    made.setJournal(durable);
    made.setCourier(durable);
    return made;
  }

  private void serve(int qos, Promise promise) throws Exception {
    gateway.functionAdded(function(qos, promise));
    broker.acceptAndSubscribe(qos);
  }

  private static FunctionSpec function(int qos, Promise promise) {
    return new FunctionSpec(new FunctionName("echo"), new Source.Image("localhost/test:1"), 8080,
        List.of(new Trigger.Mqtt(new TopicFilter("in/+"), qos, "/", false, promise)), Optional.of(new TopicTemplate("out/{1}")),
        new Limits(64 << 20, 1, 64), new Scaling(0, 2, 8, Duration.ofSeconds(60)), Duration.ofSeconds(10), Map.of());
  }

  private void restart(Runnable meanwhile) throws Exception {
    gateway.close();
    broker.cut();
    meanwhile.run();
    gateway = gateway();
  }

  // --- accepting -----------------------------------------------------------------------------------------------------

  @Test
  void acknowledgesWhatTheJournalHasBeforeTheFunctionAnswers() throws Exception {
    serve(1, new Promise(Level.AT_LEAST_ONCE));
    broker.publish(7, "in/a", "first", 1, false);
    FakeDurable.Accepting first = durable.next();
    broker.publish(8, "in/b", "second", 1, false);
    durable.next().take();

    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(8);
    first.take();
    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(7);
    assertThat(invoker.calls).isEmpty();
    assertThat(first.entry().key()).isEmpty();
    assertThat(first.entry().order()).isEqualTo("in/a");
    assertThat(Notes.of(first.entry()).topic()).contains("out/a");
  }

  @Test
  void ordersByAPropertyOrNotAtAll() throws Exception {
    serve(1, new Promise(Level.AT_LEAST_ONCE, Order.of("property:device"), Retry.DEFAULT, Urgency.NORMAL));
    MqttProperties properties = new MqttProperties();
    properties.setUserProperties(List.of(new UserProperty("device", "d1")));
    MqttPublish message = new MqttPublish("in/a", new MqttMessage("x".getBytes(), 1, false, properties), properties);
    message.setMessageId(1);
    broker.send(message);
    broker.publish(2, "in/a", "x", 1, false);
    assertThat(durable.next().entry().order()).isEqualTo("device=d1");
    assertThat(durable.next().entry().order()).isEqualTo("in/a");
    FunctionSpec unordered =
        function(1, new Promise(Level.AT_LEAST_ONCE, Order.NONE, Retry.DEFAULT, Urgency.NORMAL));
    gateway.functionChanged(unordered, unordered);
    broker.subscribe(1);
    broker.publish(3, "in/a", "x", 1, false);
    broker.publish(4, "in/a", "x", 1, false);
    assertThat(durable.next().entry().order()).isNotEqualTo(durable.next().entry().order());
  }

  @Test
  void whileTheJournalIsFullTheBrokerWaitsAndTheOrderStays() throws Exception {
    serve(1, new Promise(Level.AT_LEAST_ONCE));
    broker.publish(1, "in/a", "first", 1, false);
    durable.next().stage().completeExceptionally(new JournalFull(JournalFull.Reason.TOTAL, "full"));
    broker.publish(2, "in/a", "second", 1, false);

    FakeDurable.Accepting again = durable.next();
    assertThat(again.body()).isEqualTo("first");
    again.take();
    FakeDurable.Accepting second = durable.next();
    assertThat(second.body()).isEqualTo("second");
    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(1);
    second.take();
    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(2);
    assertThat(invoker.calls).isEmpty();
  }

  @Test
  void goesTheWayOfBeforeWhenTheJournalFails() throws Exception {
    serve(1, new Promise(Level.AT_LEAST_ONCE));
    broker.publish(1, "in/a", "x", 1, false);
    durable.next().stage().completeExceptionally(new JournalUnavailable("the disk is read-only", null));

    invoker.next().outcome().complete(invoker.reply(204, ""));
    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(1);
  }

  @Test
  void whatMustNotBeDoneTwiceWaitsForAJournalThatFails() throws Exception {
    serve(2, new Promise(Level.EXACTLY_ONCE));
    broker.publish(1, "in/a", "x", 2, false);
    durable.next().stage().completeExceptionally(new JournalUnavailable("the disk is read-only", null));

    durable.next().take();
    assertThat(broker.nextOf(MqttPubRec.class).getMessageId()).isEqualTo(1);
    assertThat(invoker.calls).isEmpty();
  }

  @Test
  void exactlyOnceStaysWithTheBrokerUntilThereIsAJournal() throws Exception {
    gateway.unsetCourier(durable);
    gateway.functionAdded(function(2, new Promise(Level.EXACTLY_ONCE)));
    events.await(() -> gateway.state().contains("waits for the journal"));
    gateway.setCourier(durable);
    broker.acceptAndSubscribe(2);
    events.await(gateway::ready);

    gateway.unsetJournal(durable);
    assertThatThrownBy(() -> broker.nextOf(MqttPublish.class)).as("the connection ends").isInstanceOf(IOException.class);
    events.await(() -> gateway.state().contains("waits for the journal"));
    gateway.setJournal(durable);
    broker.accept(true, NONE);
    broker.publish(1, "in/a", "x", 2, false);
    durable.next().take();
    assertThat(broker.nextOf(MqttPubRec.class).getMessageId()).isEqualTo(1);
    assertThat(invoker.calls).isEmpty();
  }

  @Test
  void saysWhenThereIsNoJournal() throws Exception {
    serve(1, new Promise(Level.AT_LEAST_ONCE));
    events.await(gateway::ready);
    assertThat(gateway.state()).doesNotContain("no journal");

    gateway.unsetCourier(durable);
    assertThat(gateway.state()).contains("no journal, so messages are acknowledged once they are answered");
    broker.publish(1, "in/a", "x", 1, false);
    invoker.next().outcome().complete(invoker.reply(204, ""));
    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(1);
    assertThat(durable.accepting).isEmpty();
  }

  @Test
  void whatIsPromisedNothingDoesNotTouchTheJournal() throws Exception {
    serve(1, new Promise(Level.AT_LEAST_ONCE));
    broker.publish(0, "in/a", "sent with QoS 0", 0, false);

    assertThat(invoker.next().body()).isEqualTo("sent with QoS 0");
    assertThat(durable.accepting).isEmpty();
  }

  @Test
  void exactlyOnceThePacketIdIsTheKeyUntilTheBrokerReleasesIt() throws Exception {
    durable.hold = true;
    serve(2, new Promise(Level.EXACTLY_ONCE));
    broker.publish(5, "in/a", "x", 2, false);
    FakeDurable.Accepting accepting = durable.next();
    assertThat(accepting.entry().key().orElseThrow()).startsWith("packet ").endsWith(" 5");
    FakeDurable.Noting another = durable.nextNote();
    assertThat(another.what()).as("whatever it meant before").isEqualTo("forget packet 5");
    another.done();
    accepting.take();
    assertThat(broker.next(MqttPubRec.class).getMessageId()).isEqualTo(5);

    broker.send(new MqttPubRel(0, 5, NONE));
    FakeDurable.Noting forgetting = durable.nextNote();
    assertThat(forgetting.what()).isEqualTo("forget packet 5");
    broker.publish(6, "in/b", "y", 2, false);
    durable.next().take();
    assertThat(broker.next(MqttPubRec.class).getMessageId()).as("and no PUBCOMP before").isEqualTo(6);
    forgetting.done();
    assertThat(broker.next(MqttPubComp.class).getMessageId()).isEqualTo(5);
  }

  @Test
  void exactlyOnceAMessageThatComesAgainAfterARestartHasTheSameKey() throws Exception {
    serve(2, new Promise(Level.EXACTLY_ONCE));
    broker.publish(5, "in/a", "x", 2, false);
    String key = durable.next().entry().key().orElseThrow();
    restart(durable.noting::clear);
    gateway.functionAdded(function(2, new Promise(Level.EXACTLY_ONCE)));
    broker.accept(true, NONE);
    for (int i = 1; i <= PacketIds.QOS2; i++) {
      broker.next(MqttPubRel.class);
    }
    broker.subscribe(2);
    broker.publish(5, "in/a", "x", 2, true);

    assertThat(durable.next().entry().key()).contains(key);
    assertThat(durable.noting).isEmpty();
    broker.publish(6, "in/a", "another", 2, false);
    durable.next();
    assertThat(durable.nextNote().what()).isEqualTo("forget packet 6");
  }

  @Test
  void aSessionThatTheBrokerForgotHasOtherKeys() throws Exception {
    serve(2, new Promise(Level.EXACTLY_ONCE));
    broker.publish(5, "in/a", "x", 2, false);
    String key = durable.next().entry().key().orElseThrow();
    broker.cut();
    broker.acceptAndSubscribe(2);
    broker.publish(5, "in/a", "another", 2, false);

    assertThat(durable.next().entry().key().orElseThrow()).isNotEqualTo(key);
  }

  @Test
  void exactlyOnceTheSendersIdIsTheKey() throws Exception {
    serve(2, new Promise(Level.EXACTLY_ONCE));
    MqttProperties properties = new MqttProperties();
    properties.setUserProperties(List.of(new UserProperty("specversion", "1.0"), new UserProperty("id", "A-1"),
        new UserProperty("source", "/plant"), new UserProperty("type", "t")));
    MqttPublish message = new MqttPublish("in/a", new MqttMessage("x".getBytes(), 2, false, properties), properties);
    message.setMessageId(1);
    broker.send(message);

    FakeDurable.Accepting accepting = durable.next();
    assertThat(accepting.entry().key()).contains("id /plant A-1");
    accepting.take();
    broker.next(MqttPubRec.class);
    broker.send(new MqttPubRel(0, 1, NONE));
    assertThat(broker.next(MqttPubComp.class).getMessageId()).isEqualTo(1);
  }

  // --- sending -------------------------------------------------------------------------------------------------------

  @Test
  void sendsWhatTheJournalKeepsUntilTheBrokerHasIt() throws Exception {
    durable.send(1, "echo", "out/a", "before", 1, false);
    gateway.functionAdded(function(1, new Promise(Level.AT_LEAST_ONCE)));
    broker.accept(false, NONE);
    MqttPublish first = broker.nextOf(MqttPublish.class);
    durable.send(2, "echo", "out/a", "after", 1, false);
    MqttPublish second = broker.nextOf(MqttPublish.class);
    assertThat(new String(first.getPayload())).isEqualTo("before");
    assertThat(second.getTopicName()).isEqualTo("out/a");

    broker.send(new MqttPubAck(0, second.getMessageId(), NONE));
    assertThat(durable.nextNote().what()).isEqualTo("settled 2");
    broker.send(new MqttPubAck(0, first.getMessageId(), NONE));
    assertThat(durable.nextNote().what()).isEqualTo("settled 1");
  }

  @Test
  void sendsAgainInOrderWhatHadNoReceipt() throws Exception {
    serve(1, new Promise(Level.AT_LEAST_ONCE));
    for (int i = 1; i <= 3; i++) {
      durable.send(i, "echo", "out/a", "m" + i, 1, false);
      MqttPublish sent = broker.next(MqttPublish.class);
      if (i == 2) {
        broker.send(new MqttPubAck(0, sent.getMessageId(), NONE));
        durable.nextNote();
      }
    }
    broker.cut();
    durable.send(4, "echo", "out/a", "m4", 1, false);
    broker.accept(true, NONE);

    // The subscription goes out beside them.
    assertThat(List.of(payload(), payload(), payload())).containsExactly("m1", "m3", "m4");
  }

  private String payload() throws Exception {
    return new String(broker.nextOf(MqttPublish.class).getPayload());
  }

  private void sendEarly(long event, String body) {
    gateway.answers().ending(new Accepted(event, Instant.now(), new Entry(new Invocation("i", new FunctionName("echo"),
        "mqtt", "in/a", "POST", "/", List.of(), Payload.of(new byte[0]), Instant.now(), Guarantee.AT_LEAST_ONCE, false),
        Optional.empty(), "in/a", List.of()), 0), List.of(FakeDurable.output(event, "out/a", body, 1)));
  }

  /** The first answer comes by the journal: by then that has been looked at. */
  private void serveAndSendOne() throws Exception {
    serve(1, new Promise(Level.AT_LEAST_ONCE));
    durable.send(1, "echo", "out/a", "first", 1, false);
    broker.send(new MqttPubAck(0, broker.next(MqttPublish.class).getMessageId(), NONE));
    assertThat(durable.nextNote().what()).isEqualTo("settled 1");
    events.await(gateway::current);
  }

  @Test
  void whatMayComeTwiceIsSentBeforeTheJournalHasItAndNotAgain() throws Exception {
    serveAndSendOne();
    sendEarly(2, "acknowledged before");
    MqttPublish second = broker.next(MqttPublish.class);
    sendEarly(3, "acknowledged after");
    MqttPublish third = broker.next(MqttPublish.class);
    broker.send(new MqttPubAck(0, second.getMessageId(), NONE));
    events.await(() -> events.recent().stream().filter(GatewayEvent.Published.class::isInstance).count() == 2);
    durable.send(2, "echo", "out/a", "acknowledged before", 1, false);
    durable.send(3, "echo", "out/a", "acknowledged after", 1, false);
    assertThat(durable.nextNote().what()).isEqualTo("settled 2");

    broker.send(new MqttPubAck(0, third.getMessageId(), NONE));
    assertThat(durable.nextNote().what()).isEqualTo("settled 3");
    durable.send(4, "echo", "out/a", "next", 1, false);
    assertThat(new String(broker.next(MqttPublish.class).getPayload())).isEqualTo("next");
  }

  @Test
  void whatWasSentEarlyIsSentAgainInOrderWhenItHadNoReceipt() throws Exception {
    serveAndSendOne();
    sendEarly(2, "m2");
    sendEarly(3, "m3");
    broker.next(MqttPublish.class);
    broker.next(MqttPublish.class);
    durable.send(2, "echo", "out/a", "m2", 1, false);
    broker.cut();
    broker.accept(true, NONE);
    assertThat(payload()).isEqualTo("m2");
    sendEarly(4, "m4");
    durable.send(3, "echo", "out/a", "m3", 1, false);
    durable.send(4, "echo", "out/a", "m4", 1, false);

    assertThat(List.of(payload(), payload())).containsExactly("m3", "m4");
  }

  @Test
  void aMessageOfQosTwoIsReleasedOnceTheJournalKnowsThatTheBrokerHasIt() throws Exception {
    serve(2, new Promise(Level.EXACTLY_ONCE));
    durable.hold = true;
    durable.send(70, "echo", "out/a", "x", 2, false);
    MqttPublish sent = broker.next(MqttPublish.class);
    assertThat(sent.getMessageId()).isEqualTo(PacketIds.chosen(70));
    broker.send(new MqttPubRec(0, sent.getMessageId(), NONE));
    FakeDurable.Noting received = durable.nextNote();
    assertThat(received.what()).isEqualTo("received 70");
    durable.send(71, "echo", "out/b", "y", 2, false);
    assertThat(broker.next(MqttPublish.class).getMessageId()).as("and no PUBREL before").isEqualTo(PacketIds.chosen(71));

    received.done();
    assertThat(broker.next(MqttPubRel.class).getMessageId()).isEqualTo(sent.getMessageId());
    broker.send(new MqttPubComp(0, sent.getMessageId(), NONE));
    assertThat(durable.nextNote().what()).isEqualTo("settled 70");
  }

  @Test
  void whatTheBrokerHasIsOnlyReleasedAfterARestartAndTheRestSentWithItsOldId() throws Exception {
    serve(2, new Promise(Level.EXACTLY_ONCE));
    durable.send(70, "echo", "out/a", "x", 2, false);
    durable.send(71, "echo", "out/a", "y", 2, false);
    int first = broker.next(MqttPublish.class).getMessageId();
    int second = broker.next(MqttPublish.class).getMessageId();
    restart(() -> durable.send(70, "echo", "out/a", "x", 2, true));
    gateway.functionAdded(function(2, new Promise(Level.EXACTLY_ONCE)));
    broker.accept(true, NONE);

    for (int i = 1; i <= PacketIds.QOS2; i++) {
      assertThat(broker.nextOf(MqttPubRel.class).getMessageId()).isEqualTo(i);
    }
    assertThat(broker.nextOf(MqttPubRel.class).getMessageId()).isEqualTo(first);
    MqttPublish again = broker.nextOf(MqttPublish.class);
    assertThat(again.getMessageId()).isEqualTo(second);
    broker.send(new MqttPubComp(0, first, NONE));
    assertThat(durable.nextNote().what()).isEqualTo("settled 70");
  }

  @Test
  void aMessageWaitsForTheOneThatHasItsPacketId() throws Exception {
    serve(2, new Promise(Level.EXACTLY_ONCE));
    durable.send(1, "echo", "out/a", "x", 2, false);
    durable.send(1 + PacketIds.CHOSEN, "echo", "out/a", "y", 2, false);
    MqttPublish first = broker.next(MqttPublish.class);
    broker.send(new MqttPubRec(0, first.getMessageId(), NONE));
    broker.next(MqttPubRel.class);
    broker.send(new MqttPubComp(0, first.getMessageId(), NONE));

    assertThat(new String(broker.next(MqttPublish.class).getPayload())).isEqualTo("y");
  }

  /** A restart releases it again, and what has the same id then would be passed on and sent once more. */
  @Test
  void aPacketIdIsFreeOnceTheJournalKnowsThatItsMessageIsDone() throws Exception {
    serve(2, new Promise(Level.EXACTLY_ONCE));
    durable.send(1, "echo", "out/a", "x", 2, false);
    MqttPublish first = broker.next(MqttPublish.class);
    broker.send(new MqttPubRec(0, first.getMessageId(), NONE));
    assertThat(durable.nextNote().what()).isEqualTo("received 1");
    broker.next(MqttPubRel.class);
    durable.hold = true;
    broker.send(new MqttPubComp(0, first.getMessageId(), NONE));
    FakeDurable.Noting settled = durable.nextNote();
    assertThat(settled.what()).isEqualTo("settled 1");
    durable.send(1 + PacketIds.CHOSEN, "echo", "out/a", "with the same id", 2, false);
    broker.publish(9, "in/a", "is asked for behind it", 1, false);
    durable.next().take();

    assertThat(broker.next(MqttPubAck.class).getMessageId()).as("and no PUBLISH before").isEqualTo(9);
    settled.done();
    assertThat(new String(broker.next(MqttPublish.class).getPayload())).isEqualTo("with the same id");
  }

  @Test
  void nobodyWantsTheAnswersOfARemovedFunction() throws Exception {
    serve(1, new Promise(Level.AT_LEAST_ONCE));
    gateway.functionRemoved(function(1, new Promise(Level.AT_LEAST_ONCE)));
    durable.send(1, "echo", "out/a", "x", 1, false);

    assertThat(durable.nextNote().what()).isEqualTo("settled 1");
  }
}

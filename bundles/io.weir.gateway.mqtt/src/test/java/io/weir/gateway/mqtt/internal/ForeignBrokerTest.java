package io.weir.gateway.mqtt.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.paho.mqttv5.common.packet.MqttPingReq;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPubAck;
import org.eclipse.paho.mqttv5.common.packet.MqttPubComp;
import org.eclipse.paho.mqttv5.common.packet.MqttPubRec;
import org.eclipse.paho.mqttv5.common.packet.MqttPubRel;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.util.converter.Converters;

/** Against a broker that does what the standard allows and Mosquitto does not, with every packet seen. */
@Timeout(60)
class ForeignBrokerTest {
  @TempDir
  Path data;

  private final FakeInvoker invoker = new FakeInvoker();
  private final FakeEvents events = new FakeEvents();
  private ScriptedBroker broker;
  private MqttGateway gateway;

  @BeforeEach
  void start() throws Exception {
    broker = new ScriptedBroker();
    gateway = gateway(Map.of());
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
    gateway.close();
  }

  @Test
  void acknowledgesOnlyWhenTheBrokerHasTheAnswer() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, call.body());
    gateway.functionAdded(function(1));
    broker.acceptAndSubscribe(1);

    broker.publish(7, "in", "first", 1, false);
    MqttPublish first = broker.next(MqttPublish.class);
    broker.publish(8, "in", "second", 1, false);
    MqttPublish second = broker.next(MqttPublish.class);  // and no receipt before it
    broker.send(new MqttPubAck(0, second.getMessageId(), new MqttProperties()));
    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(8);
    broker.send(new MqttPubAck(0, first.getMessageId(), new MqttProperties()));
    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(7);
  }

  @Test
  void acknowledgesWithQosTwoOnlyWhenTheAnswerIsComplete() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, call.body());
    gateway.functionAdded(function(2));
    broker.acceptAndSubscribe(2);

    broker.publish(7, "in", "x", 2, false);
    int answer = broker.next(MqttPublish.class).getMessageId();
    broker.send(new MqttPubRec(0, answer, new MqttProperties()));
    assertThat(broker.next(MqttPubRel.class).getMessageId()).isEqualTo(answer);
    broker.send(new MqttPubComp(0, answer, new MqttProperties()));
    assertThat(broker.next(MqttPubRec.class).getMessageId()).isEqualTo(7);
    broker.send(new MqttPubRel(0, 7, new MqttProperties()));
    assertThat(broker.next(MqttPubComp.class).getMessageId()).isEqualTo(7);
  }

  @Test
  void aKernelThatComesWhileAConnectionIsMadeGetsTheNextOne() throws Exception {
    FakeAdaptor kernel = new FakeAdaptor();
    gateway.functionAdded(function(new Trigger.Mqtt(new TopicFilter("in"), 1, "/", true), Optional.empty()));

    broker.accept(false, new MqttProperties(), () -> gateway.setAdaptor(kernel));

    broker.acceptAndSubscribe(1);
    assertThat(kernel.told).containsExactly("subscription", "expect");
  }

  @Test
  void invokesTheNextMessageThoughItLooksLikeTheLast() throws Exception {
    invoker.behaviour = call -> invoker.reply(204, "");
    gateway.functionAdded(function(1));
    broker.acceptAndSubscribe(1);
    for (int i = 0; i < 2; i++) {
      broker.publish(1, "in", "on", 1, false);
      assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(1);
    }

    broker.cut();  // and with it the first copy of a third message
    broker.accept(true, new MqttProperties());
    broker.subscribe(1);
    broker.publish(1, "in", "on", 1, true);

    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(1);
    assertThat(invoker.calls).hasSize(3);
  }

  @Test
  void tellsOfARefusedSubscriptionAndAsksAgain() throws Exception {
    gateway.close();
    gateway = gateway(Map.of("keep.alive.seconds", 1));
    gateway.functionAdded(function(1));
    broker.acceptAndSubscribe(0x87);
    events.await(() -> gateway.state().equals("echo: the broker refuses the subscription to in: not authorized (0x87)"));
    assertThat(gateway.ready()).isFalse();
    assertThat(partStates()).contains(gateway.state());

    broker.subscribe(1);

    events.await(gateway::ready);
  }

  @Test
  void pingsAsOftenAsTheBrokerWants() throws Exception {
    MqttProperties terms = new MqttProperties();
    terms.setServerKeepAlive(1);
    gateway.functionAdded(function(1));
    broker.accept(false, terms);
    broker.subscribe(1);

    broker.next(MqttPingReq.class);
  }

  @Test
  void publishesWithTheHighestQosTheBrokerTakes() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, call.body());
    MqttProperties terms = new MqttProperties();
    terms.setMaximumQoS(0);
    gateway.functionAdded(function(2));
    broker.accept(false, terms);
    broker.subscribe(0);

    broker.publish(0, "in", "x", 0, false);

    assertThat(broker.next(MqttPublish.class).getQoS()).isZero();
  }

  @Test
  void sendsNoMoreThanTheBrokerTakesAtATime() throws Exception {
    invoker.behaviour = call -> invoker.reply(200, call.body());
    MqttProperties terms = new MqttProperties();
    terms.setReceiveMaximum(1);
    gateway.functionAdded(function(1));
    broker.accept(false, terms);
    broker.subscribe(1);
    broker.publish(1, "in", "m1", 1, false);
    broker.publish(2, "in", "m2", 1, false);
    broker.publish(3, "of no trigger", "", 1, false);

    MqttPublish first = broker.next(MqttPublish.class);
    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(3);  // the second answer is ready, but waits
    broker.send(new MqttPubAck(0, first.getMessageId(), new MqttProperties()));
    assertThat(broker.next(MqttPublish.class).getPayload()).isEqualTo("m2".getBytes(UTF_8));
    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(1);
  }

  @Test
  void acknowledgesWhatItCannotRead() throws Exception {
    gateway.functionAdded(function(1));
    broker.acceptAndSubscribe(1);

    byte[] topic = "in".getBytes(UTF_8);
    broker.send(new byte[] {0x32, 8, 0, 2, topic[0], topic[1], 0, 9, 1, 0x7F});  // there is no property 0x7F

    assertThat(broker.next(MqttPubAck.class).getMessageId()).isEqualTo(9);
    assertThat(invoker.calls).isEmpty();
  }

  @Test
  void givesUpOnABrokerThatDoesNotAnswer() throws Exception {
    gateway.functionAdded(function(1));

    events.await(() -> gateway.state().contains("the broker did not answer CONNECT within 5 s"));
  }

  private List<String> partStates() {
    return events.recent().stream().filter(GatewayEvent.PartChanged.class::isInstance)
        .map(event -> ((GatewayEvent.PartChanged) event).state()).toList();
  }

  private MqttGateway gateway(Map<String, ?> configuration) {
    Settings settings = Settings.of(Converters.standardConverter().convert(configuration).to(MqttGatewayConfig.class));
    return new MqttGateway(settings, data, "0123456789ab", broker, invoker, events, Duration.ofHours(1));
  }

  private static FunctionSpec function(int qos) {
    return function(new Trigger.Mqtt(new TopicFilter("in"), qos, "/"), Optional.of(new TopicTemplate("out")));
  }

  private static FunctionSpec function(Trigger trigger, Optional<TopicTemplate> output) {
    return new FunctionSpec(new FunctionName("echo"), new Source.Image("localhost/test:1"), 8080,
        List.of(trigger), output,
        new Limits(64 << 20, 1, 64), new Scaling(0, 2, 8, Duration.ofSeconds(60)), Duration.ofSeconds(10), Map.of());
  }
}

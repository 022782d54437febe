package io.weir.gateway.mqtt.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.ByteRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.junit.jupiter.api.Test;

/** Paho is the judge. */
class PublishDecoderTest {

  @Property
  void readsAPlainMessageAsPahoDoes(@ForAll("topics") String topic, @ForAll @Size(max = 300) byte[] payload,
      @ForAll @IntRange(max = 2) int qos, @ForAll @IntRange(min = 1, max = 65_535) int id, @ForAll boolean retained,
      @ForAll boolean duplicate) throws Exception {
    byte[] packet = packet(topic, payload, qos, id, retained, new MqttProperties());
    packet[0] |= (byte) (duplicate ? 8 : 0);

    assertSame(PublishDecoder.decode(packet), (MqttPublish) MqttWireMessage.createWireMessage(packet));
  }

  @Property
  void readsWhatIsDamagedAsPahoDoesOrNotAtAll(@ForAll("topics") String topic, @ForAll @Size(max = 20) byte[] payload,
      @ForAll @IntRange(max = 2) int qos, @ForAll int where, @ForAll byte damage) throws Exception {
    byte[] packet = packet(topic, payload, qos, 7, false, new MqttProperties());
    int at = Math.floorMod(where, packet.length);
    int lengthEnd = 1;
    while ((packet[lengthEnd++] & 0x80) != 0) {
      // up to four bytes
    }
    if (at > 0 && at < lengthEnd) {
      return;   // the length; a reader has already cut the packet by it
    }
    packet[at] = damage;

    MqttPublish decoded = PublishDecoder.decode(packet);

    if (decoded != null) {
      assertSame(decoded, (MqttPublish) MqttWireMessage.createWireMessage(packet));
    }
  }

  @Property
  void rubbishIsNotReadBeyondItsEnd(@ForAll @Size(max = 40) byte[] rest,
      @ForAll @ByteRange(min = 0x30, max = 0x3F) byte type) {
    byte[] packet = new byte[2 + rest.length];
    packet[0] = type;
    packet[1] = (byte) rest.length;
    System.arraycopy(rest, 0, packet, 2, rest.length);

    assertThatNoException().isThrownBy(() -> PublishDecoder.decode(packet));
  }

  @Test
  void leavesToPahoWhatIsNotPlain() throws Exception {
    MqttProperties properties = new MqttProperties();
    properties.setUserProperties(List.of(new UserProperty("a", "b")));

    assertThat(PublishDecoder.decode(packet("a", new byte[1], 1, 1, false, properties))).isNull();
    assertThat(PublishDecoder.decode(packet("ä", new byte[1], 1, 1, false, new MqttProperties()))).isNull();
    assertThat(PublishDecoder.decode(new byte[] {(byte) 0xD0, 0})).isNull();
  }

  @Provide
  Arbitrary<String> topics() {
    return Arbitraries.strings().withCharRange(' ', '~').ofMinLength(1).ofMaxLength(200);
  }

  private static byte[] packet(String topic, byte[] payload, int qos, int id, boolean retained, MqttProperties properties)
      throws Exception {
    MqttPublish publish = new MqttPublish(topic, new MqttMessage(payload, qos, retained, properties), properties);
    publish.setMessageId(id);
    return publish.serialize();
  }

  private static void assertSame(MqttPublish ours, MqttPublish theirs) {
    assertThat(ours.getTopicName()).isEqualTo(theirs.getTopicName());
    assertThat(Arrays.toString(ours.getPayload())).isEqualTo(Arrays.toString(theirs.getPayload()));
    assertThat(ours.getQoS()).isEqualTo(theirs.getQoS());
    assertThat(ours.getQoS() == 0 ? 0 : ours.getMessageId()).isEqualTo(theirs.getMessageId());
    assertThat(ours.getMessage().isRetained()).isEqualTo(theirs.getMessage().isRetained());
    assertThat(ours.getProperties()).usingRecursiveComparison().isEqualTo(theirs.getProperties());
  }
}

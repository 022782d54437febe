package io.weir.gateway.mqtt.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.mqttv5.common.MqttMessage;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPubAck;
import org.eclipse.paho.mqttv5.common.packet.MqttPubRec;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Over a real connection, with a broker that reads when the test does. */
@Timeout(30)
class PacketWriterTest {
  private final ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  private final List<Runnable> afterwards = new ArrayList<>();
  private final BrokerSocket socket = BrokerSocket.connect(
      URI.create("tcp://127.0.0.1:" + listener.getLocalPort()), 5_000, Runnable::run, BrokerSocket.Opening.ANYWHERE, () -> { });
  private final PacketWriter writer = new PacketWriter(socket, afterwards::add);
  private final Socket broker = listener.accept();

  PacketWriterTest() throws IOException {}

  @AfterEach
  void close() throws IOException {
    socket.cut();
    broker.close();
    listener.close();
  }

  @Test
  void receiptsAreWhatPahoWouldSendAndLeaveTogether() throws Exception {
    for (int id : new int[] {1, 255, 256, 65_535}) {
      writer.acknowledge(id, 1);
      writer.acknowledge(id, 2);
    }
    assertThat(afterwards).hasSize(1);
    assertThat(broker.getInputStream().available()).isZero();

    afterwards.remove(0).run();

    for (int id : new int[] {1, 255, 256, 65_535}) {
      for (MqttWireMessage packet : List.of(new MqttPubAck(0, id, new MqttProperties()),
          new MqttPubRec(0, id, new MqttProperties()))) {
        assertThat(broker.getInputStream().readNBytes(4)).isEqualTo(packet.serialize());
      }
    }
    writer.acknowledge(1, 1);
    assertThat(afterwards).hasSize(1);
  }

  @Test
  void aPacketDoesNotOvertakeReceipts() throws Exception {
    writer.acknowledge(1, 1);
    writer.write(new MqttPubAck(0, 2, new MqttProperties()));

    assertThat(broker.getInputStream().readNBytes(8)).containsExactly(0x40, 2, 0, 1, 0x40, 2, 0, 2);
  }

  @Test
  void nobodyWaitsForABrokerThatDoesNotReadAndNothingIsLost() throws Exception {
    byte[] packet = large();
    int packets = 20;
    for (int i = 0; i < packets; i++) {
      writer.write(publish());
    }
    assertThat(socket.clear()).isFalse();
    CompletableFuture<Void> room = writer.room();
    assertThat(room).isNotDone();
    Thread reader = new Thread(this::readForEver);
    reader.start();

    for (int i = 0; i < packets; i++) {
      assertThat(broker.getInputStream().readNBytes(packet.length)).isEqualTo(packet);
    }

    room.get(10, TimeUnit.SECONDS);
    socket.cut();
    reader.join();
  }

  @Test
  void whoWaitsForRoomHearsOfTheEnd() throws Exception {
    for (int i = 0; i < 20; i++) {
      writer.write(publish());
    }
    CompletableFuture<Void> room = writer.room();

    socket.cut();

    assertThat(room).isCompletedExceptionally();
    assertThat(writer.room()).isCompletedExceptionally();
  }

  @Test
  void whatWasWrittenGoesOutBeforeTheEnd() throws Exception {
    Thread reader = new Thread(this::readForEver);
    reader.start();
    for (int i = 0; i < 20; i++) {
      writer.write(publish());
    }

    socket.finishWriting();

    assertThat(broker.getInputStream().readAllBytes()).hasSize(20 * large().length);
    socket.cut();
    reader.join();
  }

  @Test
  void cuttingEndsTheReaderAndSilenceIsTold() throws Exception {
    socket.readTimeout(20);
    assertThatThrownBy(() -> socket.in().read(new byte[1], 0, 1)).isInstanceOf(SocketTimeoutException.class);
    socket.readTimeout(30_000);
    CompletableFuture<Throwable> ended = new CompletableFuture<>();
    Thread reader = new Thread(() -> {
      try {
        socket.in().read(new byte[1], 0, 1);
      } catch (IOException e) {
        ended.complete(e);
      }
    });
    reader.start();

    socket.cut();

    assertThat(ended.get(10, TimeUnit.SECONDS)).isInstanceOf(IOException.class);
    reader.join();
  }

  private void readForEver() {
    try {
      while (socket.in().read(new byte[16], 0, 16) >= 0) {
        // only so that it sends
      }
    } catch (IOException e) {
      // cut
    }
  }

  private static MqttPublish publish() {
    MqttProperties properties = new MqttProperties();
    return new MqttPublish("out", new MqttMessage(new byte[500_000], 0, false, properties), properties);
  }

  private static byte[] large() throws Exception {
    return publish().serialize();
  }
}

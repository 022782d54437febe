package io.weir.gateway.mqtt.internal;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import org.eclipse.paho.mqttv5.common.packet.MqttWireMessage;

/** Cuts the broker's bytes into packets. For one thread. */
final class PacketReader {
  private static final int BUFFER = 16 << 10;
  private static final int LONGEST_LENGTH = 4;

  /** Called whenever nothing came for as long as the socket's timeout; throws to give up. */
  interface Quiet {
    void happened() throws IOException;
  }

  private final InputStream in;
  private final Liveness liveness;

  PacketReader(InputStream in, Liveness liveness) {
    this.in = new BufferedInputStream(in, BUFFER);
    this.liveness = liveness;
  }

  /** The next packet as it came, its fixed header included. */
  byte[] read(Quiet quiet) throws IOException {
    byte[] first = new byte[1];
    fill(first, 0, quiet);
    int length = length(quiet);
    byte[] encoded = MqttWireMessage.encodeVariableByteInteger(length);
    byte[] packet = new byte[1 + encoded.length + length];
    packet[0] = first[0];
    System.arraycopy(encoded, 0, packet, 1, encoded.length);
    fill(packet, 1 + encoded.length, quiet);
    return packet;
  }

  private int length(Quiet quiet) throws IOException {
    int length = 0;
    byte[] digit = new byte[1];
    for (int i = 0; i < LONGEST_LENGTH; i++) {
      fill(digit, 0, quiet);
      length |= (digit[0] & 0x7F) << 7 * i;
      if ((digit[0] & 0x80) == 0) {
        return length;
      }
    }
    throw new IOException("the broker sent what is no MQTT packet: its length has no end");
  }

  private void fill(byte[] bytes, int from, Quiet quiet) throws IOException {
    for (int at = from; at < bytes.length; ) {
      try {
        int read = in.read(bytes, at, bytes.length - at);
        if (read < 0) {
          throw new EOFException("the broker closed the connection");
        }
        at += read;
        liveness.heard();
      } catch (SocketTimeoutException e) {
        quiet.happened();
      }
    }
  }
}

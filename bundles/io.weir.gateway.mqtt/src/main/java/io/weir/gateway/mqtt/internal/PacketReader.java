package io.weir.gateway.mqtt.internal;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;

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
  private final byte[] buffer = new byte[BUFFER];
  private int at;
  private int end;
  private long taken;

  PacketReader(InputStream in, Liveness liveness) {
    this.in = in;
    this.liveness = liveness;
  }

  /** The next packet as it came, its fixed header included. */
  byte[] read(Quiet quiet) throws IOException {
    byte[] header = new byte[1 + LONGEST_LENGTH];
    header[0] = next(quiet);
    int length = 0;
    int used = 1;
    do {
      if (used > LONGEST_LENGTH) {
        throw new IOException("the broker sent what is no MQTT packet: its length has no end");
      }
      header[used] = next(quiet);
      length |= (header[used] & 0x7F) << 7 * (used - 1);
    } while ((header[used++] & 0x80) != 0);
    byte[] packet = new byte[used + length];
    System.arraycopy(header, 0, packet, 0, used);
    rest(packet, used, quiet);
    taken += packet.length;
    return packet;
  }

  /** How many bytes all the packets had that were read. */
  long taken() {
    return taken;
  }

  private byte next(Quiet quiet) throws IOException {
    if (at == end) {
      at = 0;
      end = 0;
      end = receive(buffer, 0, quiet);
    }
    return buffer[at++];
  }

  private void rest(byte[] packet, int from, Quiet quiet) throws IOException {
    int n = Math.min(end - at, packet.length - from);
    System.arraycopy(buffer, at, packet, from, n);
    at += n;
    for (int done = from + n; done < packet.length; ) {
      if (packet.length - done >= BUFFER) {
        done += receive(packet, done, quiet);
      } else {
        end = receive(buffer, 0, quiet);
        at = Math.min(end, packet.length - done);
        System.arraycopy(buffer, 0, packet, done, at);
        done += at;
      }
    }
  }

  /** How many bytes came; at least one. */
  private int receive(byte[] bytes, int from, Quiet quiet) throws IOException {
    while (true) {
      try {
        int read = in.read(bytes, from, bytes.length - from);
        if (read < 0) {
          throw new EOFException("the broker closed the connection");
        }
        liveness.heard();
        if (read > 0) {
          return read;
        }
      } catch (SocketTimeoutException e) {
        quiet.happened();
      }
    }
  }
}

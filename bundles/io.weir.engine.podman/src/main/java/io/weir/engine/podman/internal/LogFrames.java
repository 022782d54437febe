package io.weir.engine.podman.internal;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Undoes the framing of container output: stream number, three zeros, length in big endian, bytes. */
final class LogFrames {
  private static final int HEADER = 8;

  private LogFrames() {}

  /** The lines of both streams in the order they came; a torn last frame counts as far as it goes. */
  static List<String> lines(byte[] framed) {
    ByteArrayOutputStream text = new ByteArrayOutputStream(framed.length);
    ByteBuffer rest = ByteBuffer.wrap(framed);
    while (rest.remaining() >= HEADER) {
      rest.position(rest.position() + 4);
      int announced = rest.getInt();
      int length = announced < 0 ? rest.remaining() : Math.min(announced, rest.remaining());
      text.write(framed, rest.position(), length);
      rest.position(rest.position() + length);
    }
    return text.toString(StandardCharsets.UTF_8).lines().toList();
  }
}

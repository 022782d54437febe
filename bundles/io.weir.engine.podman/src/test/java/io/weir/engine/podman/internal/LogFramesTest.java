package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LogFramesTest {

  private static byte[] frame(int stream, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + bytes.length).put((byte) stream).put(new byte[3]).putInt(bytes.length).put(bytes)
        .array();
  }

  private static byte[] joined(byte[]... frames) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] frame : frames) {
      all.writeBytes(frame);
    }
    return all.toByteArray();
  }

  @Test
  void mixesBothStreamsInTheirOrder() {
    assertThat(LogFrames.lines(joined(frame(1, "a\n"), frame(2, "b\n"), frame(1, "c")))).containsExactly("a", "b", "c");
  }

  @Test
  void joinsALineThatCameInPieces() {
    byte[] word = "größe".getBytes(StandardCharsets.UTF_8);
    byte[] first = ByteBuffer.allocate(12).put((byte) 1).put(new byte[3]).putInt(4).put(word, 0, 4).array();
    byte[] second = ByteBuffer.allocate(8 + word.length - 4).put((byte) 1).put(new byte[3]).putInt(word.length - 4)
        .put(word, 4, word.length - 4).array();

    assertThat(LogFrames.lines(joined(first, second, frame(1, "\n")))).containsExactly("größe");
  }

  @Test
  void takesATornLastFrameAsFarAsItGoes() {
    byte[] whole = joined(frame(1, "first\n"), frame(1, "second\n"));

    assertThat(LogFrames.lines(Arrays.copyOf(whole, whole.length - 4))).containsExactly("first", "sec");
    assertThat(LogFrames.lines(Arrays.copyOf(whole, 3))).isEmpty();
    assertThat(LogFrames.lines(new byte[] {1, 0, 0, 0, -1, -1, -1, -1, 'x'})).containsExactly("x");
    assertThat(LogFrames.lines(new byte[0])).isEmpty();
  }
}

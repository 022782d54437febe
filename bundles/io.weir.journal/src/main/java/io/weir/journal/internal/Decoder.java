package io.weir.journal.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.invocation.Header;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads what {@link Encoder} wrote; anything else ends in {@link Damaged}. */
final class Decoder {
  private final ByteBuffer from;

  Decoder(ByteBuffer from) {
    this.from = from;
  }

  long fixed() {
    try {
      return from.getLong();
    } catch (BufferUnderflowException e) {
      throw new Damaged("a record ends too early", e);
    }
  }

  long number() {
    try {
      long value = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        byte next = from.get();
        value |= (next & 0x7FL) << shift;
        if (next >= 0) {
          return value;
        }
      }
    } catch (BufferUnderflowException e) {
      throw new Damaged("a record ends too early", e);
    }
    throw new Damaged("a number is too long", null);
  }

  /** A number that says how much follows. */
  private int count() {
    long count = number();
    if (count < 0 || count > from.remaining()) {
      throw new Damaged("a length of " + count + " leads beyond its record", null);
    }
    return (int) count;
  }

  byte[] bytes() {
    byte[] value = new byte[count()];
    from.get(value);
    return value;
  }

  String text() {
    return new String(bytes(), UTF_8);
  }

  Optional<String> optional() {
    return number() == 0 ? Optional.empty() : Optional.of(text());
  }

  List<Header> headers() {
    int count = count();
    List<Header> headers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      headers.add(new Header(text(), text()));
    }
    return headers;
  }
}

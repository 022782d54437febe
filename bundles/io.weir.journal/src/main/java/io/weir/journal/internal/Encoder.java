package io.weir.journal.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.invocation.Header;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Writes numbers, texts and bytes one after the other. Not thread-safe. */
final class Encoder {
  private byte[] bytes = new byte[256];
  private int length;

  private void room(int more) {
    if (more > bytes.length - length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }

  /** Eight bytes, the highest first. */
  Encoder fixed(long value) {
    room(Long.BYTES);
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes[length++] = (byte) (value >>> shift);
    }
    return this;
  }

  /** One to ten bytes, seven bits each, the lowest first. */
  Encoder number(long value) {
    room(10);
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes[length++] = (byte) (rest & 0x7F | 0x80);
      rest >>>= 7;
    }
    bytes[length++] = (byte) rest;
    return this;
  }

  Encoder bytes(byte[] value) {
    return number(value.length).raw(value);
  }

  Encoder raw(byte[] value) {
    room(value.length);
    System.arraycopy(value, 0, bytes, length, value.length);
    length += value.length;
    return this;
  }

  Encoder text(String value) {
    return bytes(value.getBytes(UTF_8));
  }

  Encoder optional(Optional<String> value) {
    number(value.isPresent() ? 1 : 0);
    return value.map(this::text).orElse(this);
  }

  Encoder headers(List<Header> headers) {
    number(headers.size());
    headers.forEach(header -> text(header.name()).text(header.value()));
    return this;
  }

  byte[] done() {
    return Arrays.copyOf(bytes, length);
  }
}

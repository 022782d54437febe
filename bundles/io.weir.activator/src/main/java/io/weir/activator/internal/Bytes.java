package io.weir.activator.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Arrays;

/** Bytes between two sockets: read at the end, written from the start. Grows only when told to. */
final class Bytes {
  private byte[] array;
  private ByteBuffer view;
  private int start;
  private int end;

  Bytes(int capacity) {
    array = new byte[capacity];
    view = ByteBuffer.wrap(array);
  }

  byte[] array() {
    return array;
  }

  int start() {
    return start;
  }

  int end() {
    return end;
  }

  int size() {
    return end - start;
  }

  int capacity() {
    return array.length;
  }

  /** Returns whether there is room, perhaps by moving what is held. */
  boolean makeRoom() {
    if (start == end) {
      start = 0;
      end = 0;
    }
    if (end < array.length) {
      return true;
    }
    if (start > 0) {
      System.arraycopy(array, start, array, 0, size());
      end -= start;
      start = 0;
      return true;
    }
    return false;
  }

  void resize(int capacity) {
    array = Arrays.copyOf(array, capacity);
    view = ByteBuffer.wrap(array);
  }

  /** As {@link SocketChannel#read}; there must be room. */
  int readFrom(SocketChannel channel) throws IOException {
    int read = channel.read(view.limit(array.length).position(end));
    end += Math.max(0, read);
    return read;
  }

  /** Writes at most {@code most} bytes, and returns how many. */
  int writeTo(SocketChannel channel, int most) throws IOException {
    int written = channel.write(view.limit(start + Math.min(most, size())).position(start));
    start += written;
    return written;
  }

  /** Forgets everything from {@code index} on. */
  void cut(int index) {
    end = index;
  }

  /** Puts other bytes in place of the first {@code count}. */
  void replaceFirst(int count, byte[] with) {
    byte[] whole = new byte[Math.max(array.length, with.length + size() - count)];
    System.arraycopy(with, 0, whole, 0, with.length);
    System.arraycopy(array, start + count, whole, with.length, size() - count);
    end = with.length + size() - count;
    start = 0;
    array = whole;
    view = ByteBuffer.wrap(array);
  }

  /** Puts more in front of the byte at {@code index}. */
  void insert(int index, byte[] more) {
    int before = index - start;
    byte[] head = Arrays.copyOf(Arrays.copyOfRange(array, start, index), before + more.length);
    System.arraycopy(more, 0, head, before, more.length);
    replaceFirst(before, head);
  }

  void append(byte[] more) {
    replaceFirst(0, new byte[0]);
    array = Arrays.copyOf(array, Math.max(array.length, end + more.length));
    System.arraycopy(more, 0, array, end, more.length);
    end += more.length;
    view = ByteBuffer.wrap(array);
  }

  void clear() {
    start = 0;
    end = 0;
  }
}

package io.weir.invoker.internal;

import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Reads one HTTP/1.1 answer from bytes as they come, and the next one after {@link #begin}. For one thread. */
final class AnswerParser {
  static final int MAX_HEAD = 64 * 1024;
  private static final int MAX_CHUNK_LINE = 4 * 1024;
  private static final int FIRST_ROOM = 16 * 1024;
  private static final byte[] NOTHING = new byte[0];

  /** What comes next. */
  private enum Part { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER, DONE }

  /** The answer is larger than it may be. */
  static final class TooLarge extends IOException {
    private static final long serialVersionUID = 1L;
  }

  private final int maxBody;
  private Part part = Part.DONE;
  private boolean ofHead;
  private boolean begun;

  /** A head or a line that is not whole yet. */
  private byte[] line = NOTHING;
  private int lineLength;
  /** Of the head, or of the trailer, all that was read up to now. */
  private int headBytes;
  private boolean emptyLine;

  private @Nullable AnswerHead head;
  private long headNanos;
  private byte[] body = NOTHING;
  private int bodyLength;
  private long left;

  AnswerParser(int maxBody) {
    this.maxBody = maxBody;
  }

  /** @param method of the request that is answered next */
  void begin(String method) {
    part = Part.HEAD;
    ofHead = method.equals("HEAD");
    begun = false;
    lineLength = 0;
    headBytes = 0;
    emptyLine = false;
    head = null;
    body = NOTHING;
    bodyLength = 0;
  }

  /** Whether any byte of the answer has come. */
  boolean begun() {
    return begun;
  }

  boolean done() {
    return part == Part.DONE;
  }

  AnswerHead head() {
    if (head == null) {
      throw new IllegalStateException("no head yet");
    }
    return head;
  }

  /** When the head was whole, as {@link System#nanoTime}. */
  long headNanos() {
    return headNanos;
  }

  byte[] body() {
    return body.length == bodyLength ? body : Arrays.copyOf(body, bodyLength);
  }

  /** Takes bytes and returns the index of the first one that belongs to this answer no more. */
  int feed(byte[] bytes, int from, int to) throws IOException {
    begun |= to > from;
    int at = from;
    while (at < to && part != Part.DONE) {
      at = switch (part) {
        case HEAD -> head(bytes, at, to);
        case BODY, CHUNK -> body(bytes, at, to);
        default -> line(bytes, at, to);
      };
    }
    return at;
  }

  /** The connection was closed. */
  void end() throws IOException {
    if (part == Part.BODY && head().length == AnswerHead.UNTIL_CLOSE) {
      part = Part.DONE;
    } else if (part != Part.DONE) {
      throw new EOFException(begun ? "unexpected end of the answer" : "no answer");
    }
  }

  private int head(byte[] bytes, int from, int to) throws IOException {
    int end = from;
    boolean whole = false;
    for (; end < to && !whole; end++) {
      byte b = bytes[end];
      whole = b == '\n' && emptyLine;
      emptyLine = b == '\n' || emptyLine && b == '\r';
    }
    headBytes += end - from;
    if (headBytes > MAX_HEAD) {
      throw new ProtocolException("its head is larger than " + MAX_HEAD + " bytes");
    }
    if (!whole) {
      keep(bytes, from, end);
    } else if (lineLength == 0) {
      headIsWhole(bytes, from, end);
    } else {
      keep(bytes, from, end);
      int length = lineLength;
      lineLength = 0;
      headIsWhole(line, 0, length);
    }
    return end;
  }

  private void headIsWhole(byte[] bytes, int from, int end) throws IOException {
    int to = end - 1;
    to -= to > from && bytes[to - 1] == '\r' ? 1 : 0;
    AnswerHead read = new AnswerHead(bytes, from, to, ofHead);
    if (read.status == 101) {
      throw new ProtocolException("it switches protocols, unasked");
    }
    emptyLine = false;
    if (read.status < 200) {
      return;   // the answer is still to come, and its head counts with this one
    }
    head = read;
    headNanos = System.nanoTime();
    if (read.length > maxBody) {
      throw new TooLarge();
    }
    left = read.length == AnswerHead.UNTIL_CLOSE ? Long.MAX_VALUE : read.length;
    part = read.length == AnswerHead.CHUNKED ? Part.CHUNK_SIZE : left == 0 ? Part.DONE : Part.BODY;
  }

  private int body(byte[] bytes, int from, int to) throws IOException {
    int n = (int) Math.min(to - from, left);
    if (n > maxBody - bodyLength) {
      throw new TooLarge();
    }
    if (n > body.length - bodyLength) {
      // Grows with what really comes, whatever the head says.
      long most = head().length > 0 ? Math.min(head().length, Math.max(FIRST_ROOM, 2L * body.length)) : 2L * body.length;
      body = Arrays.copyOf(body, (int) Math.min(Math.max(bodyLength + (long) n, most), maxBody));
    }
    System.arraycopy(bytes, from, body, bodyLength, n);
    bodyLength += n;
    left -= n;
    if (left == 0) {
      part = part == Part.CHUNK ? Part.CHUNK_END : Part.DONE;
    }
    return from + n;
  }

  /** One line between chunks. */
  private int line(byte[] bytes, int from, int to) throws IOException {
    int end = from;
    while (end < to && bytes[end] != '\n') {
      end++;
    }
    keep(bytes, from, end);
    if (lineLength > MAX_CHUNK_LINE) {
      throw new ProtocolException("a line between chunks is longer than " + MAX_CHUNK_LINE + " bytes");
    }
    if (end == to) {
      return to;
    }
    int length = lineLength > 0 && line[lineLength - 1] == '\r' ? lineLength - 1 : lineLength;
    lineLength = 0;
    lineIsWhole(length);
    return end + 1;
  }

  private void lineIsWhole(int length) throws IOException {
    if (part == Part.CHUNK_SIZE) {
      left = ChunkSize.of(line, length);
      if (left > maxBody - bodyLength) {
        throw new TooLarge();
      }
      headBytes = 0;
      part = left == 0 ? Part.TRAILER : Part.CHUNK;
    } else if (part == Part.CHUNK_END) {
      if (length > 0) {
        throw new ProtocolException("a chunk is longer than it says");
      }
      part = Part.CHUNK_SIZE;
    } else {
      headBytes += length + 2;
      if (headBytes > MAX_HEAD) {
        throw new ProtocolException("its trailer is larger than " + MAX_HEAD + " bytes");
      }
      part = length == 0 ? Part.DONE : Part.TRAILER;
    }
  }

  private void keep(byte[] bytes, int from, int to) {
    int n = to - from;
    if (n > line.length - lineLength) {
      line = Arrays.copyOf(line, Math.max(lineLength + n, 2 * line.length));
    }
    System.arraycopy(bytes, from, line, lineLength, n);
    lineLength += n;
  }
}

package io.weir.gateway.mqtt.internal;

import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the answers to POSTs in what a connection brings, by HTTP/1.1's rules, and says the status of each that is whole.
 * Interim answers are none. For one thread.
 */
final class LaneAnswers {
  private static final int LONGEST_HEAD = 64 << 10;
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] ([1-9]\\d\\d)( .*)?");
  private static final Pattern CHUNK = Pattern.compile("([0-9A-Fa-f]{1,8})[ \t]*(;.*)?");
  private static final Pattern LENGTH = Pattern.compile("\\d{1,18}");

  private enum Part { HEAD, BODY, CHUNK_SIZE, CHUNK_END, TRAILER, UNTIL_CLOSE }

  private final IntConsumer answered;
  private final StringBuilder line = new StringBuilder();
  private Part part = Part.HEAD;
  private int headBytes;
  private int status;
  private long length;
  private boolean chunked;
  private long rest;
  private boolean chunk;

  /** @param answered is told the status of each answer */
  LaneAnswers(IntConsumer answered) {
    this.answered = answered;
    begin();
  }

  private void begin() {
    part = Part.HEAD;
    headBytes = 0;
    status = 0;
    length = -1;
    chunked = false;
  }

  /** @throws ProtocolException if these are no answers; then nothing more can be found on the connection */
  void read(ByteBuffer bytes) throws ProtocolException {
    while (bytes.hasRemaining()) {
      if (part == Part.UNTIL_CLOSE) {
        bytes.position(bytes.limit());
      } else if (part == Part.BODY) {
        int some = (int) Math.min(rest, bytes.remaining());
        bytes.position(bytes.position() + some);
        rest -= some;
        bodyEnds();
      } else {
        byte next = bytes.get();
        if (next != '\n') {
          line.append((char) (next & 0xff));
          check(++headBytes < LONGEST_HEAD, "a head that does not end");
        } else {
          line(line.toString().stripTrailing());
          line.setLength(0);
        }
      }
    }
  }

  /** The connection has ended in order, which is how some answers end. */
  void end() {
    if (part == Part.UNTIL_CLOSE) {
      complete();
    }
  }

  private void line(String text) throws ProtocolException {
    switch (part) {
      case HEAD -> head(text);
      case CHUNK_SIZE -> {
        Matcher size = CHUNK.matcher(text);
        check(size.matches(), "an unexpected length of a chunk");
        headBytes = 0;
        rest = Long.parseLong(size.group(1), 16);
        chunk = true;
        part = rest == 0 ? Part.TRAILER : Part.BODY;
      }
      case CHUNK_END -> {
        check(text.isEmpty(), "a chunk that does not end");
        part = Part.CHUNK_SIZE;
      }
      default -> {
        if (text.isEmpty()) {
          complete();
        }
      }
    }
  }

  private void head(String text) throws ProtocolException {
    if (status == 0) {
      Matcher first = STATUS.matcher(text);
      check(first.matches(), "an unexpected status line");
      status = Integer.parseInt(first.group(1));
    } else if (text.isEmpty()) {
      headEnds();
    } else {
      int colon = text.indexOf(':');
      check(colon > 0, "an unexpected header line");
      field(text.substring(0, colon).toLowerCase(Locale.ROOT), text.substring(colon + 1).strip());
    }
  }

  private void field(String name, String value) throws ProtocolException {
    if (name.equals("content-length")) {
      check(LENGTH.matcher(value).matches() && (length < 0 || length == Long.parseLong(value)), "an unexpected length");
      length = Long.parseLong(value);
    } else if (name.equals("transfer-encoding")) {
      check(value.equalsIgnoreCase("chunked") && !chunked, "an unexpected Transfer-Encoding");
      chunked = true;
    }
  }

  private void headEnds() throws ProtocolException {
    check(status != 101, "another protocol");
    if (status < 200) {
      begin();
    } else if (status == 204 || status == 304) {
      complete();
    } else if (chunked) {
      part = Part.CHUNK_SIZE;
    } else if (length < 0) {
      part = Part.UNTIL_CLOSE;
    } else {
      part = Part.BODY;
      rest = length;
      chunk = false;
      bodyEnds();
    }
  }

  private void bodyEnds() {
    if (rest == 0 && chunk) {
      part = Part.CHUNK_END;
    } else if (rest == 0) {
      complete();
    }
  }

  private void complete() {
    int whole = status;
    begin();
    answered.accept(whole);
  }

  private void check(boolean fine, String what) throws ProtocolException {
    if (!fine) {
      throw new ProtocolException(what + ": " + line);
    }
  }
}

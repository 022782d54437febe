package io.weir.activator.internal;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;

/**
 * Follows one HTTP/1 message as its bytes pass by, to know where it ends (RFC 9112 §6). It holds no bytes and judges none:
 * what it does not understand makes it opaque, which means that everything that comes belongs to it.
 *
 * <p>A mistake here cannot mix up clients, because no connection to an instance is ever shared between two.
 */
final class Message {
  /** Longer lines are followed, but no longer understood. */
  private static final int MAX_LINE = 96 << 10;
  private static final int MAX_METHOD = 24;
  private static final String METHOD_MARKS = "!#$%&'*+-.^_`|~";
  private static final int SWITCHING = 101;

  private enum State { LINE, FIELDS, LENGTH, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILERS, UNTIL_CLOSE, DONE, OPAQUE }

  private final boolean isRequest;
  private State state = State.LINE;
  private final StringBuilder line = new StringBuilder();
  private String method;
  private String target = "";
  private int status;
  private boolean headDone;
  private int headBytes;
  private int headEnd;
  private boolean old;
  private boolean chunked;
  private boolean coded;
  private boolean upgrade;
  private boolean empty;
  private long length = -1;
  private long left;
  private final Set<String> connection = new LinkedHashSet<>();

  private Message(boolean isRequest, String method) {
    this.isRequest = isRequest;
    this.method = method;
  }

  static Message request() {
    return new Message(true, "");
  }

  static Message answerTo(Message request) {
    Message answer = new Message(false, request.method);
    if (request.state == State.OPAQUE) {
      answer.state = State.OPAQUE;
    }
    return answer;
  }

  /** Returns the index of the first byte that does not belong to the message, or {@code end}. */
  int feed(byte[] bytes, int from, int end) {
    int at = from;
    headEnd = -1;
    while (at < end) {
      switch (state) {
        case OPAQUE, UNTIL_CLOSE -> {
          return end;
        }
        case DONE -> {
          return at;
        }
        case LENGTH, CHUNK -> {
          int taken = (int) Math.min(left, end - at);
          at += taken;
          left -= taken;
          if (left == 0) {
            state = state == State.LENGTH ? State.DONE : State.CHUNK_END;
          }
        }
        default -> {
          boolean before = headDone;
          character(bytes[at++]);
          headBytes += headDone ? 0 : 1;
          headEnd = headDone && !before ? at : headEnd;
        }
      }
    }
    return at;
  }

  private void character(byte value) {
    if (value == '\n') {
      int length = line.length();
      String text = length > 0 && line.charAt(length - 1) == '\r' ? line.substring(0, length - 1) : line.toString();
      line.setLength(0);
      line(text);
      return;
    }
    if (line.length() < MAX_LINE) {
      line.append((char) (value & 0xff));
    } else if (state == State.LINE) {
      state = State.OPAQUE;
    }
    if (isRequest && state == State.LINE && !mayBegin(value)) {
      state = State.OPAQUE;
    }
  }

  /** So that what is no HTTP at all is seen by its first byte, and not only once a line feed comes. */
  private boolean mayBegin(byte value) {
    int space = line.indexOf(" ");
    if (space >= 0) {
      return space > 0;
    }
    return value == '\r' ? line.length() == 1 : line.length() <= MAX_METHOD
        && (value >= '0' && value <= '9' || value >= 'A' && value <= 'Z' || value >= 'a' && value <= 'z'
            || METHOD_MARKS.indexOf(value) >= 0);
  }

  private void line(String text) {
    switch (state) {
      case LINE -> firstLine(text);
      case FIELDS -> {
        if (text.isEmpty()) {
          endOfHead();
        } else {
          field(text);
        }
      }
      case CHUNK_SIZE -> chunkSize(text);
      case CHUNK_END -> state = text.isEmpty() ? State.CHUNK_SIZE : State.OPAQUE;
      case TRAILERS -> state = text.isEmpty() ? State.DONE : State.TRAILERS;
      default -> throw new IllegalStateException("no lines in " + state);
    }
  }

  private void firstLine(String text) {
    if (text.isEmpty()) {
      return; // RFC 9112 §2.2: an empty line or two before a message.
    }
    state = State.FIELDS;
    if (isRequest) {
      int end = text.lastIndexOf(' ');
      int start = text.indexOf(' ');
      if (start < 1 || end <= start || !version(text.substring(end + 1))) {
        state = State.OPAQUE;
        return;
      }
      method = text.substring(0, start);
      target = text.substring(start + 1, end);
    } else if (text.length() < 12 || !version(text.substring(0, 8)) || !text.substring(9, 12).matches("[1-9][0-9]{2}")) {
      state = State.OPAQUE;
    } else {
      status = Integer.parseInt(text.substring(9, 12));
    }
  }

  private boolean version(String text) {
    old = text.equals("HTTP/1.0");
    return old || text.equals("HTTP/1.1");
  }

  private void field(String text) {
    int colon = text.indexOf(':');
    if (colon < 1) {
      return;
    }
    String value = text.substring(colon + 1).strip();
    switch (text.substring(0, colon).strip().toLowerCase(Locale.ROOT)) {
      case "connection" -> {
        for (String token : value.split(",")) {
          connection.add(token.strip().toLowerCase(Locale.ROOT));
        }
      }
      case "upgrade" -> upgrade = true;
      case "transfer-encoding" -> {
        coded = true;
        chunked = value.toLowerCase(Locale.ROOT).endsWith("chunked");
      }
      case "content-length" -> contentLength(value);
      default -> { }
    }
  }

  private void contentLength(String value) {
    // Several equal ones are allowed; anything else is for the server to refuse.
    boolean number = value.matches("[0-9]{1,18}");
    if (!number || length >= 0 && length != Long.parseLong(value)) {
      length = Long.MAX_VALUE;
    } else {
      length = Long.parseLong(value);
    }
  }

  private void endOfHead() {
    if (!isRequest && status / 100 == 1 && status != SWITCHING) {
      state = State.LINE; // The answer is still to come.
      connection.clear();
      headBytes = 0;
      return;
    }
    headDone = true;
    headBytes++;
    boolean bodiless = isRequest ? !coded && length <= 0
        : method.equals("HEAD") || status == 204 || status == 304 || !coded && length == 0;
    empty = bodiless;
    if (status == SWITCHING || isRequest && method.equals("CONNECT") || !bodiless && length == Long.MAX_VALUE
        || isRequest && coded && !chunked) {
      state = State.OPAQUE;
    } else if (bodiless) {
      state = State.DONE;
    } else if (chunked) {
      state = State.CHUNK_SIZE;
    } else if (!coded && length > 0) {
      left = length;
      state = State.LENGTH;
    } else {
      state = State.UNTIL_CLOSE;
    }
  }

  private void chunkSize(String text) {
    int end = text.indexOf(';');
    String digits = (end < 0 ? text : text.substring(0, end)).strip();
    if (!digits.matches("[0-9A-Fa-f]{1,15}")) {
      state = State.OPAQUE;
      return;
    }
    left = Long.parseLong(digits, 16);
    state = left > 0 ? State.CHUNK : State.TRAILERS;
  }

  /** Stops looking: everything belongs to it from now on. */
  void giveUp() {
    state = State.OPAQUE;
  }

  boolean isOpaque() {
    return state == State.OPAQUE;
  }

  boolean isDone() {
    return state == State.DONE;
  }

  /** Whether only the end of the connection ends it. */
  boolean endsWithConnection() {
    return state == State.UNTIL_CLOSE || state == State.OPAQUE;
  }

  /** Whether its head, and if it is an answer not only that of an interim one, is complete. */
  boolean headDone() {
    return headDone;
  }

  /** Whether nothing of it, or of an answer nothing after interim ones, has come yet. */
  boolean isUntouched() {
    return state == State.LINE && line.length() == 0;
  }

  /** Length of the head with the empty line that ends it. */
  int headBytes() {
    return headBytes;
  }

  /** Index of the first byte after its head, if that ended in what was fed last; otherwise -1. */
  int headEnd() {
    return headEnd;
  }

  /** Whether the connection shall end with it. */
  boolean closes() {
    return connection.contains("close") || old && !connection.contains("keep-alive") || endsWithConnection();
  }

  boolean isOld() {
    return old;
  }

  boolean wantsUpgrade() {
    return upgrade && connection.contains("upgrade");
  }

  String target() {
    return target;
  }

  boolean isEmpty() {
    return empty;
  }

  int status() {
    return status;
  }

  /** The head with {@code Connection: close} in place of what it said about the connection. */
  byte[] closing(byte[] head) {
    String text = new String(head, StandardCharsets.ISO_8859_1);
    StringBuilder rewritten = new StringBuilder(text.length() + 24);
    Set<String> options = new LinkedHashSet<>(Set.of("close"));
    connection.stream().filter(option -> !option.isEmpty() && !option.equals("keep-alive")).forEach(options::add);
    boolean said = false;
    boolean dropping = false;
    for (int start = 0; start < text.length();) {
      int end = text.indexOf('\n', start) + 1;
      end = end == 0 ? text.length() : end;
      String each = text.substring(start, end);
      boolean folded = each.startsWith(" ") || each.startsWith("\t");
      dropping = folded ? dropping : isAboutConnection(each);
      if (!dropping) {
        rewritten.append(each);
      }
      if (!said && !each.isBlank()) {
        rewritten.append("Connection: ").append(String.join(", ", options)).append("\r\n");
        said = true;
      }
      start = end;
    }
    return rewritten.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  private static boolean isAboutConnection(String line) {
    String lower = line.substring(0, Math.min(line.length(), 16)).toLowerCase(Locale.ROOT);
    return lower.matches("(?s)(connection|keep-alive)[ \t]*:.*");
  }
}

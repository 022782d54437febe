package io.weir.state.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A client's connection: one request after the other. Only for the loop. */
final class Connection {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
  private static final int MAX_HEAD = 8 << 10;
  /** A body up to this is read although it is refused, so that the connection can go on. */
  private static final int MAX_UNWANTED = 64 << 10;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final byte[] CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

  private enum Step { HEAD, BODY, WORK, ANSWER, LINGER, CLOSED }

  private final SocketChannel channel;
  private final SelectionKey key;
  private final StateService service;
  private final Loop loop;
  private final Consumer<Connection> gone;
  private Step step = Step.HEAD;
  /** What was read and not used. */
  private byte[] input = new byte[1024];
  private int filled;
  private @Nullable Request request;
  private @Nullable Answer refusal;
  private ByteBuffer out = ByteBuffer.allocate(0);
  private boolean last;
  /** When what has begun must be over; 0: nothing has. */
  private long deadline;

  Connection(SocketChannel channel, SelectionKey key, StateService service, Loop loop, Consumer<Connection> gone) {
    this.channel = channel;
    this.key = key;
    this.service = service;
    this.loop = loop;
    this.gone = gone;
    key.attach(this);
  }

  boolean isIdle() {
    return step == Step.HEAD && filled == 0;
  }

  boolean hasDeadline() {
    return deadline != 0;
  }

  boolean isOverdue(long now) {
    return deadline != 0 && now - deadline > 0;
  }

  private void expect(boolean something) {
    deadline = something ? Math.max(1, System.nanoTime() + PATIENCE_NANOS) : 0;
  }

  void ready() {
    try {
      if (step == Step.CLOSED) {
        return;
      }
      if (step == Step.ANSWER) {
        write();
        goOn();
      }
      if (step == Step.HEAD || step == Step.BODY || step == Step.LINGER) {
        read();
      }
    } catch (IOException | RuntimeException e) {
      LOG.debug("a connection is given up", e);
      close();
    }
  }

  private void read() throws IOException {
    if (filled == input.length) {
      input = Arrays.copyOf(input, 2 * input.length);
    }
    int n = channel.read(ByteBuffer.wrap(input, filled, input.length - filled));
    if (n < 0) {
      close();
      return;
    }
    if (step == Step.LINGER) {
      return;   // not wanted
    }
    if (n > 0 && filled == 0 && step == Step.HEAD) {
      expect(true);
    }
    filled += n;
    understand();
  }

  private void understand() throws IOException {
    if (step == Step.HEAD) {
      int end = endOfHead();
      if (end < 0) {
        if (filled > MAX_HEAD) {
          refuse(Answer.problem(431, "head-too-large", "the head of a request has at most " + MAX_HEAD + " bytes"));
        }
        return;
      }
      head(end);
    }
    Request now = request;
    if (step == Step.BODY && now != null && filled >= now.length()) {
      byte[] body = Arrays.copyOf(input, now.length());
      consume(now.length());
      expect(false);
      work(now, body);
    }
  }

  /** Behind the empty line that ends it; -1: it is not here yet. */
  private int endOfHead() {
    for (int i = 1; i < filled; i++) {
      if (input[i] == '\n' && (input[i - 1] == '\n' || i > 1 && input[i - 1] == '\r' && input[i - 2] == '\n')) {
        return i + 1;
      }
    }
    return -1;
  }

  private void head(int end) throws IOException {
    Request now;
    try {
      now = Request.parse(input, end);
    } catch (Request.Malformed e) {
      refuse(Answer.problem(e.status, e.status == 411 ? "length-required" : "bad-request", String.valueOf(e.getMessage())));
      return;
    }
    consume(end);
    request = now;
    last = now.last();
    Optional<Answer> objection = service.objection(now);
    refusal = objection.orElse(null);
    if (objection.isPresent() && (now.length() > MAX_UNWANTED || now.expectsContinue())) {
      refuse(objection.get());
      return;
    }
    step = Step.BODY;
    if (now.expectsContinue() && filled < now.length()) {
      channel.write(ByteBuffer.wrap(CONTINUE));
    }
  }

  private void consume(int bytes) {
    System.arraycopy(input, bytes, input, 0, filled - bytes);
    filled -= bytes;
  }

  private void work(Request now, byte[] body) throws IOException {
    Answer refused = refusal;
    if (refused != null) {
      answer(refused);
      return;
    }
    step = Step.WORK;
    key.interestOps(0);
    service.serve(now, body, answer -> loop.execute(() -> {
      try {
        if (step == Step.WORK) {
          answer(answer);
        }
      } catch (IOException | RuntimeException e) {
        LOG.debug("a connection is given up", e);
        close();
      }
    }));
  }

  /** Answers what cannot be read to its end. */
  private void refuse(Answer answer) throws IOException {
    last = true;
    answer(answer);
  }

  private void answer(Answer answer) throws IOException {
    out = answer.encode(request != null && request.method().equals("HEAD"), last);
    step = Step.ANSWER;
    expect(true);
    write();
    goOn();
  }

  /** With what was sent without waiting. */
  private void goOn() throws IOException {
    if (step == Step.HEAD && filled > 0) {
      understand();
    }
  }

  private void write() throws IOException {
    channel.write(out);
    if (out.hasRemaining()) {
      key.interestOps(SelectionKey.OP_WRITE);
      return;
    }
    out = ByteBuffer.allocate(0);
    request = null;
    refusal = null;
    key.interestOps(SelectionKey.OP_READ);
    if (last) {
      // Closing with input unread would reset the connection, and the client would lose the answer.
      channel.shutdownOutput();
      step = Step.LINGER;
      filled = 0;
    } else {
      step = Step.HEAD;
      expect(filled > 0);
      if (input.length > MAX_HEAD) {
        input = Arrays.copyOf(input, Math.max(1024, filled));
      }
    }
  }

  void close() {
    if (step != Step.CLOSED) {
      step = Step.CLOSED;
      deadline = 0;
      key.cancel();
      Loop.close(channel);
      gone.accept(this);
    }
  }
}

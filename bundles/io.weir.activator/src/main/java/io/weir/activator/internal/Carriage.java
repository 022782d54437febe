package io.weir.activator.internal;

import io.weir.engine.Lease;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries a client's requests to instances, one at a time, and their answers back; what is slow on one side slows the
 * other. Keeps the connection to an instance for the next request, which may find another there. On its loop's thread only.
 */
final class Carriage implements Upstream.Listener {
  private static final Logger log = LoggerFactory.getLogger(Carriage.class);
  private static final int TURNS = 8;
  private static final long CONNECT_NANOS = 3_000_000_000L;
  private static final byte[] CLOSE = "Connection: close\r\n".getBytes(StandardCharsets.US_ASCII);

  /** How an exchange may end. The lease has been given back. */
  interface Listener {
    /** @param last whether the connection cannot be used for another */
    void done(boolean last);

    /** Nothing was sent: the request is as good as new. */
    void notSent(String why);

    /** The instance is gone, or too late; there was no answer of which the client knows. */
    void failed(int status, String code, String why);

    /** @param whole whether the client can tell from what it got that something is missing */
    void brokenOff(String why, boolean whole);
  }

  /** What may end the client's connection by an exception. */
  interface Work {
    void run() throws IOException;
  }

  private final Loop loop;
  private final Door door;
  private final Client client;
  private final Listener listener;
  private final Consumer<Work> guard;
  private Message answer = Message.answerTo(Message.request());
  private @Nullable Upstream upstream;
  private @Nullable Lease lease;
  private @Nullable Bytes out;
  private boolean carrying;
  /** Whether bytes of this exchange went to the instance. */
  private boolean sent;
  private boolean answered;
  /** Whether the connection to the instance served an exchange before. */
  private boolean reused;
  /** Whether the instance has closed its side while it was written to. */
  private boolean deaf;
  private boolean said;
  /** Whether the client's connection ends with this exchange. */
  private boolean closing;
  private long sinceNanos;

  /** @param guard runs what fails if the client is gone */
  Carriage(Loop loop, Door door, Client client, Listener listener, Consumer<Work> guard) {
    this.loop = loop;
    this.door = door;
    this.client = client;
    this.listener = listener;
    this.guard = guard;
  }

  /**
   * Begins an exchange with the client's request, whose head is complete.
   *
   * @param last whether the client's connection ends with it, of which the client is told
   */
  void start(Lease given, boolean last) {
    lease = given;
    closing = last;
    sinceNanos = System.nanoTime();
    sent = false;
    answered = false;
    deaf = false;
    said = false;
    reused = upstream != null && upstream.leadsTo(given.address());
    if (reused) {
      connected();
    } else {
      connect(given);
    }
  }

  private void connect(Lease given) {
    closeUpstream();
    try {
      upstream = new Upstream(loop, given.address(), this);
    } catch (IOException e) {
      connectFailed(e);
    }
  }

  @Override
  public void connectFailed(IOException why) {
    upstream = null;
    endLease(Lease::releaseSuspect);
    listener.notSent(String.valueOf(why.getMessage()));
  }

  @Override
  public void connected() {
    carrying = true;
    answer = Message.answerTo(client.request());
    wantAnswer(true);
    guard.accept(this::carryRequest);
  }

  @Override
  public void writable() {
    guard.accept(this::carryRequest);
  }

  @Override
  public void readable() {
    if (carrying) {
      guard.accept(this::readAnswer);
    } else {
      // An instance that closes an idle connection, or says that it will: the next request takes another.
      closeUpstream();
    }
  }

  boolean isCarrying() {
    return carrying;
  }

  /** Whether the client may still be told something instead of an answer. */
  boolean answerIsUntouched() {
    return answer.isUntouched();
  }

  int status() {
    return answer.status();
  }

  boolean answerIsEmpty() {
    return answer.isEmpty();
  }

  /** From the client to the instance, as far as both sides go along. */
  void carryRequest() throws IOException {
    for (int turn = 0; carrying; turn++) {
      if (client.owes() && !pass()) {
        return;
      }
      boolean expected = !client.request().isDone();
      if (client.hasEnded()) {
        if (expected) {
          endRequest();
        }
        return;
      }
      // Of a request that is complete only a little more is read: to see the client go, and what it wants next.
      if (turn == TURNS || !client.makeRoom() && !client.grow(Loop.BUFFER)) {
        client.wantToRead(turn == TURNS);
        return;
      }
      if (client.read() == 0) {
        return;
      }
      if (expected) {
        sinceNanos = System.nanoTime();
      }
    }
  }

  /** Returns whether the instance has taken all there is. */
  private boolean pass() {
    if (deaf) {
      return false;
    }
    Upstream to = Objects.requireNonNull(upstream);
    try {
      if (client.passTo(to) > 0) {
        sent = true;
        sinceNanos = System.nanoTime();
      }
    } catch (IOException e) {
      if (sent) {
        // It may have answered before it closed; what it said is still to be read.
        deaf = true;
        to.want(SelectionKey.OP_WRITE, false);
        client.wantToRead(false);
      } else {
        lost(e);
      }
      return false;
    }
    to.want(SelectionKey.OP_WRITE, client.owes());
    if (client.owes()) {
      client.wantToRead(false);
    }
    return !client.owes();
  }

  private void endRequest() {
    try {
      Objects.requireNonNull(upstream).end();
    } catch (IOException e) {
      log.debug("The instance is gone; what it answered is still to be read", e);
    }
  }

  /** From the instance to the client, as far as both sides go along. */
  private void readAnswer() throws IOException {
    for (int turn = 0; turn < TURNS && carrying && out == null && upstream != null; turn++) {
      Bytes buffer = loop.buffer();
      int read;
      try {
        read = upstream.read(buffer);
      } catch (IOException e) {
        loop.recycle(buffer);
        lost(e);
        return;
      }
      if (read <= 0) {
        loop.recycle(buffer);
        if (read < 0) {
          answerEnded();
        }
        return;
      }
      sinceNanos = System.nanoTime();
      answered = true;
      int mine = answer.feed(buffer.array(), buffer.start(), buffer.end());
      said |= mine < buffer.end();
      buffer.cut(mine);
      if (closing && !answer.closes()) {
        sayThatItCloses(buffer);
      }
      out = buffer;
      writeAnswer();
      if (carrying && answer.isOpaque() && !client.request().isOpaque()) {
        client.giveUpFraming(); // Upgraded: from now on both sides say whatever they like.
        carryRequest();
      }
    }
  }

  /** Not every function repeats in its answer what it was asked, and a client that is not told loses its next request. */
  private void sayThatItCloses(Bytes buffer) {
    int emptyLine = answer.headEnd() - 2;
    if (emptyLine >= buffer.start() && buffer.array()[emptyLine] == '\r') {
      buffer.insert(emptyLine, CLOSE);
    }
  }

  void writeAnswer() throws IOException {
    Bytes buffer = out;
    if (buffer != null) {
      if (client.write(buffer) > 0) {
        sinceNanos = System.nanoTime();
      }
      if (buffer.size() > 0) {
        client.wantToWrite(true);
        wantAnswer(false);
        return;
      }
      out = null;
      loop.recycle(buffer);
    }
    client.wantToWrite(false);
    if (answer.isDone()) {
      done();
    } else {
      wantAnswer(true);
    }
  }

  private void wantAnswer(boolean wanted) {
    if (upstream != null) {
      upstream.want(SelectionKey.OP_READ, wanted);
    }
  }

  /** The instance has closed its side, and the client has all of what came. */
  private void answerEnded() {
    if (!answered) {
      lost(new IOException("it closed the connection"));
    } else if (answer.endsWithConnection()) {
      done();
    } else {
      stop(Lease::releaseSuspect);
      listener.brokenOff("the instance closed its connection in the midst of the answer", true);
    }
  }

  private void done() {
    endLease(Lease::release);
    wantAnswer(true); // Only to see it close.
    // More than it should say belongs to no request, and no more of them can be told apart.
    listener.done(said || !client.request().isDone() || client.request().closes() || answer.closes());
  }

  /** The connection to the instance is gone. */
  private void lost(IOException why) {
    if (reused && !sent) {
      // It was closed while nobody looked, which says nothing about the instance.
      reused = false;
      carrying = false;
      connect(Objects.requireNonNull(lease));
      return;
    }
    stop(Lease::releaseSuspect);
    String what = String.valueOf(why.getMessage());
    if (!sent) {
      listener.notSent(what);
    } else if (reused && !answered) {
      // As the instance itself did; clients know that from any server, and send such a request again.
      listener.brokenOff(what, true);
    } else if (answer.isUntouched() && !client.request().isOpaque()) {
      listener.failed(502, "connection-reset", "function " + door.function().name() + " broke off: " + what);
    } else {
      listener.brokenOff(what, false);
    }
  }

  /** Ends a connection attempt or an exchange that takes too long; what has begun to be answered may take its time. */
  void tick(long nowNanos, long stallNanos) {
    long quiet = nowNanos - sinceNanos;
    if (!carrying) {
      if (lease != null && quiet > CONNECT_NANOS) {
        closeUpstream();
        connectFailed(new IOException("no answer to the connection attempt"));
      }
    } else if (!client.request().isOpaque()) {
      boolean clientsTurn = out != null || !client.owes() && !client.request().isDone();
      if (clientsTurn && quiet > stallNanos) {
        late(Lease::release, 408, "request-timeout", "the client neither sent nor took anything for "
            + quiet / 1_000_000_000 + " s");
      } else if (!clientsTurn && !answer.headDone() && quiet > door.function().timeout().toNanos()) {
        late(Lease::releaseTimedOut, 504, "timeout", "function " + door.function().name() + " did not answer within "
            + door.function().timeout().toMillis() + " ms");
      }
    }
  }

  private void late(Consumer<Lease> how, int status, String code, String why) {
    boolean untouched = answer.isUntouched() && out == null;
    stop(how);
    if (untouched) {
      listener.failed(status, code, why);
    } else {
      listener.brokenOff(why, false);
    }
  }

  private void endLease(Consumer<Lease> how) {
    carrying = false;
    Lease given = lease;
    lease = null;
    if (given != null) {
      how.accept(given);
    }
  }

  private void closeUpstream() {
    if (upstream != null) {
      upstream.close();
      upstream = null;
    }
  }

  private void stop(Consumer<Lease> how) {
    closeUpstream();
    endLease(how);
    if (out != null) {
      loop.recycle(out);
      out = null;
    }
  }

  /** Nothing is carried any more. */
  void stop() {
    stop(Lease::release);
  }
}

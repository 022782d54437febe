package io.weir.activator.internal;

import io.weir.activator.internal.Carrier.Story;
import io.weir.activator.internal.Problems.Problem;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection to a service address: held until an instance is there, then carried. On its loop's thread only.
 *
 * <p><b>Leases.</b> A lease is the right to one request, so it is held for one exchange of HTTP/1: from a complete request
 * head to the end of the answer. Holding it for as long as the connection is open would be simpler, but a handful of
 * keep-alive clients would use up a function's concurrency by doing nothing, and the pool would neither freeze nor stop
 * an instance that a browser forgot; giving it back after some seconds of silence would let the first clients that are
 * never silent starve all others, and freeze long polls. So {@link Message} follows where messages end. Where it cannot
 * (an upgrade, HTTP/2, no HTTP), the connection has a state in one instance, and the lease is held until it ends.
 *
 * <p><b>Waking.</b> A start begins as soon as the connection is there, unless there was an instance a moment ago; whose
 * request is complete first takes over the lease that comes of it. A client that connects and says nothing, or says it
 * slowly, wakes a function, but keeps no lease from others.
 *
 * <p><b>Ending.</b> While the kernel leads new connections straight to instances, each request's head is made to say
 * {@code Connection: close}, so that the client comes back on the direct way. A connection is always closed in the order
 * FIN, read and discard, close: whatever the client still sends must not turn into a reset that takes the answer along.
 */
final class Connection implements Loop.Member, Upstream.Listener {
  private static final Logger log = LoggerFactory.getLogger(Connection.class);
  private static final int CARRY_BUFFER = Loop.BUFFER;
  static final int MAX_HEAD = 96 << 10;
  private static final int TURNS = 8;
  private static final long LINGER_NANOS = 2_000_000_000L;
  private static final long CONNECT_NANOS = 3_000_000_000L;

  /** What it waits for. */
  private enum Phase {
    /** The head of a request. */
    HEAD,
    /** An instance. */
    LEASE,
    /** The connection to it. */
    CONNECT,
    /** The end of the exchange. */
    CARRY,
    /** That the client takes an answer of the gateway's own. */
    REFUSE,
    /** That the client closes as well. */
    LINGER,
    CLOSED
  }

  private final Carrier carrier;
  private final Loop loop;
  private final Door door;
  private final Client client;
  private final Bytes in;
  private Phase phase = Phase.HEAD;
  private Message request = Message.request();
  private Message answer = Message.answerTo(request);
  private @Nullable Bytes out;
  private @Nullable Upstream upstream;
  private @Nullable Lease lease;
  private @Nullable Story story;
  /** Bytes of {@link #in} that belong to the request. */
  private int owed;
  /** Whether bytes of this exchange went to the instance. */
  private boolean sent;
  private boolean answered;
  /** Whether the connection to the instance served an exchange before. */
  private boolean reused;
  private boolean retried;
  private boolean last;
  private boolean upstreamEnded;
  private boolean first = true;
  private int ticket;
  /** Whether the instance has closed its side while it was written to. */
  private boolean deaf;
  private long sinceNanos = System.nanoTime();

  private Connection(Carrier carrier, Loop loop, Door door, SocketChannel client) throws IOException {
    this.carrier = carrier;
    this.loop = loop;
    this.door = door;
    this.client = new Client(carrier, loop, client, this::clientReady);
    this.in = this.client.in();
  }

  /** Takes over an accepted connection that does not block. */
  static void open(Carrier carrier, Loop loop, Door door, SocketChannel client) {
    boolean room = carrier.crowd.enter() & door.crowd.enter();
    try {
      if (carrier.crowd.isOverrun() || door.crowd.isOverrun()) {
        throw new IOException("too many connections");
      }
      Connection connection = new Connection(carrier, loop, door, client);
      loop.add(connection);
      connection.begin(room);
    } catch (IOException e) {
      log.debug("A connection to {} was not taken", door.function().name(), e);
      carrier.crowd.leave();
      door.crowd.leave();
      Client.closeQuietly(client);
    }
  }

  private void begin(boolean room) {
    if (!room) {
      refuse(Problems.later("queue-full", "function " + door.function().name()
          + " has as many connections as may wait; try again, or raise held.per.function or held.total of "
          + Activator.PID));
      return;
    }
    guarded(this::readHead);
    if (phase == Phase.HEAD && !door.isAwake()) {
      carrier.wake(door.function().name());
    }
  }

  /** Something that ends the connection if the client is gone. */
  private interface Work {
    void run() throws IOException;
  }

  private void guarded(Work work) {
    try {
      work.run();
    } catch (IOException e) {
      log.debug("A client of {} is gone", door.function().name(), e);
      if (story != null) {
        story.brokenOff("client-gone: the client closed its connection");
        story = null;
      }
      close();
    }
  }

  private void clientReady(SelectionKey ready) {
    guarded(() -> {
      if (ready.isWritable()) {
        writeAnswer();
      }
      if (ready.isValid() && ready.isReadable()) {
        switch (phase) {
          case HEAD, LEASE, CONNECT -> readHead();
          case CARRY -> carryRequest();
          case LINGER -> discard();
          default -> client.wantToRead(false);
        }
      }
    });
  }

  /** Until the head of a request is complete, or the buffer full; afterwards only to see whether the client is gone. */
  private void readHead() throws IOException {
    while (phase == Phase.HEAD || phase == Phase.LEASE || phase == Phase.CONNECT) {
      if (!in.makeRoom() && (phase != Phase.HEAD || !client.grow(MAX_HEAD))) {
        if (phase != Phase.HEAD) {
          client.wantToRead(false);
          return;
        }
        if (in.capacity() < MAX_HEAD) {
          refuse(Problems.later("queue-full", "too many clients send long heads at once"));
          return;
        }
        request.giveUp(); // Too long to understand, but not for the function to judge.
        follow();
        headComplete();
        continue;
      }
      int read = client.read();
      if (read < 0) {
        if (phase == Phase.HEAD) {
          finish(); // Between requests, or in the midst of a head, of which nothing can come any more.
        }
        return;
      }
      if (read == 0) {
        return;
      }
      follow();
      if (phase == Phase.HEAD && (request.headDone() || request.isOpaque())) {
        headComplete();
      }
    }
  }

  private void follow() {
    owed = request.feed(in.array(), in.start() + owed, in.end()) - in.start();
  }

  private void headComplete() {
    last = false;
    if (request.headDone() && !request.isOpaque() && !request.isOld() && !request.wantsUpgrade() && carrier.routed()) {
      byte[] head = java.util.Arrays.copyOfRange(in.array(), in.start(), in.start() + request.headBytes());
      byte[] closing = request.closing(head);
      in.replaceFirst(head.length, closing);
      owed += closing.length - head.length;
      last = true;
    }
    phase = Phase.LEASE;
    first = false;
    sent = false;
    answered = false;
    deaf = false;
    retried = false;
    sinceNanos = System.nanoTime();
    acquire();
    story = carrier.new Story(door.function().name(), request.target());
  }

  private void acquire() {
    int mine = ++ticket;
    carrier.lease(door.function().name()).whenComplete((given, error) -> {
      if (!loop.execute(() -> guarded(() -> leased(mine, given, error))) && given != null) {
        given.release();
      }
    });
  }

  private void leased(int mine, @Nullable Lease given, @Nullable Throwable error) {
    if (given != null) {
      door.leased();
    }
    if (mine != ticket || phase != Phase.LEASE) {
      if (given != null) {
        given.release();
      }
      return;
    }
    if (given == null) {
      Throwable cause = error instanceof CompletionException ? error.getCause() : error;
      fail(cause instanceof LeaseRefused refused ? Problems.of(refused)
          : Problems.of(502, "start-failed", "no instance could be had: " + cause));
      return;
    }
    lease = given;
    if (story != null) {
      story.attempt(given);
    }
    connect(given);
  }

  private void connect(Lease given) {
    sinceNanos = System.nanoTime();
    reused = upstream != null && upstream.leadsTo(given.address());
    if (reused) {
      connected();
      return;
    }
    closeUpstream();
    phase = Phase.CONNECT;
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
    if (retried) {
      fail(Problems.of(502, "connection-refused", "function " + door.function().name()
          + " does not take connections: " + why.getMessage()));
      return;
    }
    retried = true;
    phase = Phase.LEASE;
    acquire();
  }

  @Override
  public void connected() {
    phase = Phase.CARRY;
    upstreamEnded = false;
    answer = Message.answerTo(request);
    wantAnswer(true);
    guarded(this::carryRequest);
  }

  @Override
  public void writable() {
    guarded(this::carryRequest);
  }

  /** From the client to the instance, as far as both sides go along. */
  private void carryRequest() throws IOException {
    for (int turn = 0; phase == Phase.CARRY; turn++) {
      if (owed > 0 && !pass()) {
        return;
      }
      if (client.hasEnded()) {
        if (!request.isDone()) {
          endRequest();
        }
        return;
      }
      // Of a request that is complete only a little more is read: to see the client go, and what it wants next.
      if (turn == TURNS || !in.makeRoom() && !client.grow(CARRY_BUFFER)) {
        client.wantToRead(turn == TURNS);
        return;
      }
      boolean expected = !request.isDone();
      int read = client.read();
      if (read == 0) {
        return;
      }
      if (expected) {
        sinceNanos = System.nanoTime();
      }
      if (read > 0) {
        follow();
      }
    }
  }

  /** Returns whether the instance has taken all there is. */
  private boolean pass() {
    if (deaf) {
      return false;
    }
    Upstream to = java.util.Objects.requireNonNull(upstream);
    try {
      int written = to.write(in, owed);
      owed -= written;
      sent |= written > 0;
      if (written > 0) {
        sinceNanos = System.nanoTime();
      }
    } catch (IOException e) {
      if (sent) {
        // It may have answered before it closed; what it said is still to be read.
        deaf = true;
        to.want(SelectionKey.OP_WRITE, false);
        client.wantToRead(false);
        return false;
      }
      lost(e);
      return false;
    }
    to.want(SelectionKey.OP_WRITE, owed > 0);
    if (owed > 0) {
      client.wantToRead(false);
    }
    return owed == 0;
  }

  private void endRequest() {
    try {
      java.util.Objects.requireNonNull(upstream).end();
    } catch (IOException e) {
      log.debug("The instance is gone; what it answered is still to be read", e);
    }
  }

  @Override
  public void readable() {
    if (phase == Phase.CARRY) {
      guarded(this::readAnswer);
    } else {
      // An instance that closes an idle connection, or says that it will: the next request takes another.
      closeUpstream();
    }
  }

  /** From the instance to the client, as far as both sides go along. */
  private void readAnswer() throws IOException {
    for (int turn = 0; turn < TURNS && phase == Phase.CARRY && out == null && upstream != null; turn++) {
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
          upstreamEnded = true;
          answerEnded();
        }
        return;
      }
      sinceNanos = System.nanoTime();
      answered = true;
      int mine = answer.feed(buffer.array(), buffer.start(), buffer.end());
      last |= mine < buffer.end(); // More than it should say: whatever that is, it belongs to no request.
      buffer.cut(mine);
      out = buffer;
      writeAnswer();
      if (phase == Phase.CARRY && answer.isOpaque() && !request.isOpaque()) {
        request.giveUp(); // Upgraded: from now on both sides say whatever they like.
        follow();
        carryRequest();
      }
    }
  }

  private void writeAnswer() throws IOException {
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
    if (phase == Phase.REFUSE) {
      finish();
    } else if (phase == Phase.CARRY && answer.isDone()) {
      exchangeDone();
    } else if (phase == Phase.CARRY) {
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
      exchangeDone();
    } else {
      endLease(Lease::releaseSuspect);
      tellBrokenOff("connection-reset: the instance closed its connection in the midst of the answer");
      finish(); // The client sees by itself that the answer is too short.
    }
  }

  /** The connection to the instance is gone. */
  private void lost(IOException why) {
    closeUpstream();
    if (reused && !sent) {
      // It was closed while nobody looked, which says nothing about the instance.
      reused = false;
      connect(java.util.Objects.requireNonNull(lease));
      return;
    }
    endLease(Lease::releaseSuspect);
    String what = "function " + door.function().name() + " broke off: " + why.getMessage();
    if (!sent && !retried) {
      retried = true;
      phase = Phase.LEASE;
      acquire();
    } else if (reused && !answered) {
      // As the instance itself did; clients know that from any server, and send such a request again.
      tellBrokenOff("connection-reset: " + what);
      finish();
    } else if (answer.isUntouched() && !request.isOpaque()) {
      fail(Problems.of(502, "connection-reset", what));
    } else {
      tellBrokenOff("connection-reset: " + what);
      abort();
    }
  }

  private void tellBrokenOff(String why) {
    if (story != null) {
      story.brokenOff(why);
      story = null;
    }
  }

  private void exchangeDone() {
    endLease(Lease::release);
    if (story != null) {
      story.answered(answer.status(), answer.isEmpty());
      story = null;
    }
    if (last || !request.isDone() || request.closes() || answer.closes() || upstreamEnded && answer.endsWithConnection()
        || client.hasEnded() && in.size() == 0) {
      finish();
      return;
    }
    phase = Phase.HEAD;
    sinceNanos = System.nanoTime();
    request = Message.request();
    owed = 0;
    client.shrink();
    wantAnswer(true); // Only to see it close.
    follow();
    if (request.headDone() || request.isOpaque()) {
      headComplete();
    } else if (client.hasEnded()) {
      finish();
    } else {
      client.wantToRead(true);
    }
  }

  private void endLease(java.util.function.Consumer<Lease> how) {
    Lease given = lease;
    lease = null;
    if (given != null) {
      how.accept(given);
    }
  }

  private void fail(Problem problem) {
    if (story != null) {
      story.failed(problem);
      story = null;
    }
    if (request.isOpaque()) {
      finish(); // Whatever it speaks, it is no HTTP/1.
    } else {
      refuse(problem);
    }
  }

  private void refuse(Problem problem) {
    closeUpstream();
    phase = Phase.REFUSE;
    client.wantToRead(false);
    byte[] text = problem.bytes();
    Bytes whole = out == null ? new Bytes(text.length) : out; // Behind what is left of an interim answer.
    whole.append(text);
    out = whole;
    sinceNanos = System.nanoTime();
    guarded(this::writeAnswer);
  }

  /** Closes without haste: FIN, then whatever still comes is read, so that the client gets no reset. */
  private void finish() {
    closeUpstream();
    endLease(Lease::release);
    if (client.hasEnded()) {
      close();
      return;
    }
    phase = Phase.LINGER;
    in.clear();
    owed = 0;
    sinceNanos = System.nanoTime();
    guarded(() -> {
      client.end();
      discard();
    });
  }

  private void discard() throws IOException {
    if (client.discard()) {
      close();
    }
  }

  /** Where an end in good order would make half an answer look like a whole one. */
  private void abort() {
    client.resetOnClose();
    close();
  }

  private void close() {
    if (phase == Phase.CLOSED) {
      return;
    }
    phase = Phase.CLOSED;
    closeUpstream();
    endLease(Lease::release);
    if (out != null) {
      loop.recycle(out);
      out = null;
    }
    loop.remove(this);
    carrier.crowd.leave();
    door.crowd.leave();
    client.close();
  }

  private void closeUpstream() {
    if (upstream != null) {
      upstream.close();
      upstream = null;
    }
  }

  @Override
  public void tick(long nowNanos) {
    long quiet = nowNanos - sinceNanos;
    boolean stalled = quiet > carrier.settings.stallTimeout().toNanos();
    switch (phase) {
      case HEAD -> headTick(quiet, stalled);
      case CONNECT -> {
        if (quiet > CONNECT_NANOS) {
          closeUpstream();
          connectFailed(new IOException("no answer to the connection attempt"));
        }
      }
      case CARRY -> carryTick(quiet, stalled);
      case REFUSE -> {
        if (stalled) {
          close();
        }
      }
      case LINGER -> {
        if (quiet > LINGER_NANOS) {
          close();
        }
      }
      default -> { }
    }
  }

  private void headTick(long quiet, boolean stalled) {
    boolean late = quiet > carrier.settings.headTimeout().toNanos();
    if (in.size() > 0 && late) {
      refuse(Problems.of(408, "request-timeout", "the head of the request did not come within "
          + carrier.settings.headTimeout().toSeconds() + " s"));
    } else if (first && late || stalled) {
      finish();
    }
  }

  /** Whoever keeps the exchange from going on is at fault; an answer that has begun may take as long as it likes. */
  private void carryTick(long quiet, boolean stalled) {
    if (request.isOpaque()) {
      return;
    }
    boolean clientsTurn = out != null || owed == 0 && !request.isDone();
    if (clientsTurn && stalled) {
      endLease(Lease::release);
      tellBrokenOff("client-stalled: the client neither sent nor took anything for " + quiet / 1_000_000_000 + " s");
      if (answer.isUntouched() && out == null) {
        refuse(Problems.of(408, "request-timeout", "the request did not come to its end"));
      } else {
        abort();
      }
    } else if (!clientsTurn && !answer.headDone() && quiet > door.function().timeout().toNanos()) {
      endLease(Lease::releaseTimedOut);
      Problem late = Problems.of(504, "timeout", "function " + door.function().name() + " did not answer within "
          + door.function().timeout().toMillis() + " ms");
      if (answer.isUntouched()) {
        fail(late);
      } else {
        tellBrokenOff(late.code() + ": " + late.detail());
        abort();
      }
    }
  }

  @Override
  public void goingDown() {
    if (phase == Phase.LEASE || phase == Phase.CONNECT) {
      fail(Problems.later("stopping", "the gateway is going down"));
    }
    tellBrokenOff("stopping: the gateway is going down");
    close();
  }
}

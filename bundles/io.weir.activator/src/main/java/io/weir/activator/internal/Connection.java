package io.weir.activator.internal;

import io.weir.activator.internal.Carrier.Story;
import io.weir.activator.internal.Problems.Problem;
import io.weir.engine.Lease;
import io.weir.engine.LeaseRefused;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection to a service address: held until an instance is there, then carried ({@link Carriage}). On its loop's thread only.
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
final class Connection implements Loop.Member, Carriage.Listener {
  private static final Logger log = LoggerFactory.getLogger(Connection.class);
  private static final int MAX_HEAD = 96 << 10;
  private static final long LINGER_NANOS = 2_000_000_000L;

  /** What it waits for. */
  private enum Phase {
    /** The head of a request. */
    HEAD,
    /** A lease. */
    LEASE,
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
  private final Carriage carriage;
  private Phase phase = Phase.HEAD;
  private @Nullable Bytes refusal;
  private @Nullable Story story;
  private boolean first = true;
  private boolean retried;
  private boolean closing;
  private int ticket;
  /** When a lease was asked for this request for the first time. */
  private long askedNanos;
  private long sinceNanos = System.nanoTime();

  private Connection(Carrier carrier, Loop loop, Door door, SocketChannel channel) throws IOException {
    this.carrier = carrier;
    this.loop = loop;
    this.door = door;
    this.client = new Client(carrier, loop, channel, this::clientReady);
    this.carriage = new Carriage(loop, door, client, this, this::guarded);
  }

  /** Takes over an accepted connection that does not block. */
  static void open(Carrier carrier, Loop loop, Door door, SocketChannel channel) {
    boolean room = carrier.crowd.enter() & door.crowd.enter();
    try {
      if (carrier.crowd.isOverrun() || door.crowd.isOverrun()) {
        throw new IOException("too many connections");
      }
      Connection connection = new Connection(carrier, loop, door, channel);
      loop.add(connection);
      connection.begin(room);
    } catch (IOException e) {
      log.debug("A connection to {} was not taken", door.function().name(), e);
      carrier.crowd.leave();
      door.crowd.leave();
      Client.closeQuietly(channel);
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

  private void guarded(Carriage.Work work) {
    try {
      work.run();
    } catch (IOException e) {
      log.debug("A client of {} is gone", door.function().name(), e);
      tell(told -> told.brokenOff("client-gone: the client closed its connection"));
      close();
    }
  }

  private void clientReady(SelectionKey ready) {
    guarded(() -> {
      if (ready.isWritable()) {
        write();
      }
      if (ready.isValid() && ready.isReadable()) {
        read();
      }
    });
  }

  private void read() throws IOException {
    switch (phase) {
      case HEAD, LEASE -> readHead();
      case CARRY -> {
        if (carriage.isCarrying()) {
          carriage.carryRequest();
        } else {
          readHead();
        }
      }
      case LINGER -> discard();
      default -> client.wantToRead(false);
    }
  }

  private void write() throws IOException {
    if (phase == Phase.CARRY) {
      carriage.writeAnswer();
    } else if (phase == Phase.REFUSE) {
      writeRefusal();
    } else {
      client.wantToWrite(false);
    }
  }

  /** Until the head of a request is complete, or the buffer full; afterwards only to see whether the client is gone. */
  private void readHead() throws IOException {
    while (phase == Phase.HEAD || phase == Phase.LEASE || phase == Phase.CARRY && !carriage.isCarrying()) {
      if (!client.makeRoom() && (phase != Phase.HEAD || !client.grow(MAX_HEAD))) {
        if (phase != Phase.HEAD) {
          client.wantToRead(false);
        } else if (client.capacity() < MAX_HEAD) {
          refuse(Problems.later("queue-full", "too many clients send long heads at once"));
        } else {
          client.giveUpFraming(); // Too long to understand, but not for the function to judge.
          headComplete();
          continue;
        }
        return;
      }
      int read = client.read();
      if (read <= 0) {
        if (read < 0 && phase == Phase.HEAD) {
          finish(); // Between requests, or in the midst of a head, of which nothing can come any more.
        }
        return;
      }
      if (phase == Phase.HEAD && isHeadComplete()) {
        headComplete();
      }
    }
  }

  private boolean isHeadComplete() {
    return client.request().headDone() || client.request().isOpaque();
  }

  private void headComplete() {
    Message request = client.request();
    closing = !request.isOpaque() && !request.isOld() && !request.wantsUpgrade() && carrier.routed();
    if (closing) {
      client.closeAfterRequest();
    }
    first = false;
    retried = false;
    askedNanos = System.nanoTime();
    acquire();
    story = carrier.new Story(door.function().name(), request.target());
  }

  private void acquire() {
    phase = Phase.LEASE;
    int mine = ++ticket;
    carrier.lease(door.function().name()).whenComplete((given, error) -> {
      if (!loop.execute(() -> leased(mine, given, error)) && given != null) {
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
    } else if (given == null) {
      Throwable cause = error instanceof CompletionException ? error.getCause() : error;
      if (cause instanceof LeaseRefused refused && isToCome(refused)) {
        loop.later(() -> {
          if (mine == ticket && phase == Phase.LEASE) {
            acquire();
          }
        });
        return;
      }
      fail(cause instanceof LeaseRefused refused ? Problems.of(refused)
          : Problems.of(502, "start-failed", "no instance could be had: " + cause));
    } else {
      if (story != null) {
        story.attempt(given);
      }
      phase = Phase.CARRY;
      carriage.start(given, closing);
    }
  }

  /** While a gateway starts, the pool may hear of a function later than we do. */
  private boolean isToCome(LeaseRefused refused) {
    return refused.code() == LeaseRefused.Code.UNKNOWN_FUNCTION && carrier.isDeclared(door.function().name())
        && System.nanoTime() - askedNanos < carrier.settings.patience().toNanos();
  }

  @Override
  public void notSent(String why) {
    if (retried) {
      fail(Problems.of(502, "connection-refused", "function " + door.function().name() + " does not take connections: "
          + why));
    } else {
      retried = true;
      acquire();
    }
  }

  @Override
  public void failed(int status, String code, String why) {
    fail(Problems.of(status, code, why));
  }

  @Override
  public void brokenOff(String why, boolean whole) {
    tell(told -> told.brokenOff("connection-reset: " + why));
    if (whole) {
      finish();
    } else {
      // An end in good order would make half an answer look like a whole one.
      client.resetOnClose();
      close();
    }
  }

  @Override
  public void done(boolean last) {
    tell(told -> told.answered(carriage.status(), carriage.answerIsEmpty()));
    if (last || closing) {
      finish();
      return;
    }
    phase = Phase.HEAD;
    sinceNanos = System.nanoTime();
    client.nextRequest();
    if (isHeadComplete()) {
      headComplete();
    } else if (client.hasEnded()) {
      finish();
    } else {
      client.wantToRead(true);
    }
  }

  private void tell(Consumer<Story> how) {
    Story told = story;
    story = null;
    if (told != null) {
      how.accept(told);
    }
  }

  private void fail(Problem problem) {
    tell(told -> told.failed(problem));
    if (client.request().isOpaque()) {
      finish(); // Whatever it speaks, it is no HTTP/1.
    } else {
      refuse(problem);
    }
  }

  private void refuse(Problem problem) {
    carriage.stop();
    phase = Phase.REFUSE;
    sinceNanos = System.nanoTime();
    client.wantToRead(false);
    Bytes text = new Bytes(0);
    text.append(problem.bytes());
    refusal = text;
    guarded(this::writeRefusal);
  }

  private void writeRefusal() throws IOException {
    if (refusal != null) {
      client.write(refusal);
      if (refusal.size() > 0) {
        client.wantToWrite(true);
        return;
      }
    }
    finish();
  }

  /** Closes without haste: FIN, then whatever still comes is read, so that the client gets no reset. */
  private void finish() {
    carriage.stop();
    if (client.hasEnded()) {
      close();
      return;
    }
    phase = Phase.LINGER;
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

  private void close() {
    if (phase == Phase.CLOSED) {
      return;
    }
    phase = Phase.CLOSED;
    carriage.stop();
    loop.remove(this);
    carrier.crowd.leave();
    door.crowd.leave();
    client.close();
  }

  @Override
  public void tick(long nowNanos) {
    long quiet = nowNanos - sinceNanos;
    long stall = carrier.settings.stallTimeout().toNanos();
    switch (phase) {
      case HEAD -> headTick(quiet, quiet > stall);
      case CARRY -> carriage.tick(nowNanos, stall);
      case REFUSE -> {
        if (quiet > stall) {
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
    if (client.hasSaidMore() && late) {
      refuse(Problems.of(408, "request-timeout", "the head of the request did not come within "
          + carrier.settings.headTimeout().toSeconds() + " s"));
    } else if (first && late || stalled) {
      finish();
    }
  }

  @Override
  public void goingDown() {
    if (phase == Phase.LEASE) {
      fail(Problems.later("stopping", "the gateway is going down"));
    }
    tell(told -> told.brokenOff("stopping: the gateway is going down"));
    close();
  }
}

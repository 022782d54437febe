package io.weir.invoker.internal;

import io.weir.invocation.Outcome;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A connection to an instance, and the call that is on it.
 *
 * <p>A call is sent by whoever brings it, so that the loop need not be woken; all else happens on the loop. The monitor
 * is between the two and guards the fields below it; nobody is told anything while it is held.
 */
final class InstanceConnection implements IoLoop.Ready, Looks.Timed {
  /** Dropped before the 5 s after which common servers (Node) close theirs, or a request would be lost on a closed one. */
  private static final long IDLE_NANOS = Duration.ofSeconds(4).toNanos();

  private final HeldCalls owner;
  private final IoLoop loop;
  private final String instance;
  private final InetSocketAddress address;
  private final AnswerParser parser;
  private @Nullable SelectionKey key;   // of the loop

  private @Nullable SocketChannel channel;
  private @Nullable HeldCall call;
  private @Nullable PendingRequest unsent;
  private boolean connected;
  private boolean used;
  private boolean closed;
  private long idleSince;
  /** Of the call before. */
  private long timeoutNanos;
  /** When {@link #look} is called next. */
  private long lookAt;

  InstanceConnection(HeldCalls owner, IoLoop loop, String instance, InetSocketAddress address, int maxReplyBytes) {
    this.owner = owner;
    this.loop = loop;
    this.instance = instance;
    this.address = address;
    this.parser = new AnswerParser(maxReplyBytes);
  }

  String instance() {
    return instance;
  }

  InetSocketAddress address() {
    return address;
  }

  /** On the loop: connects for this call. */
  void connect(HeldCall first) {
    IOException failure = null;
    synchronized (this) {
      begin(first);
      try {
        channel = SocketChannel.open();
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        connected = channel.connect(address);
        key = loop.register(channel, connected ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT, this);
        long now = System.nanoTime();
        lookAt = now + Math.min(first.deadlineNanos() - now, first.connectNanos());
        loop.lookAt(lookAt, this);
        if (connected) {
          send();
        }
      } catch (IOException | RuntimeException e) {   // an address that is none is told as a RuntimeException
        failure = e instanceof IOException io ? io : new IOException(e);
      }
    }
    if (failure != null) {
      end(failure);
    }
  }

  /** Sends a call on a connection that was idle; false if it has ended meanwhile. Any thread. */
  boolean send(HeldCall next) {
    boolean lookEarlier;
    synchronized (this) {
      if (closed) {
        return false;
      }
      begin(next);
      try {
        send();
      } catch (IOException e) {
        loop.execute(() -> end(e));
        return true;
      }
      lookEarlier = lookAt - next.deadlineNanos() > 0;
      lookAt = lookEarlier ? next.deadlineNanos() : lookAt;
    }
    if (lookEarlier) {
      loop.execute(() -> loop.lookAt(next.deadlineNanos(), this));
    }
    return true;
  }

  private void begin(HeldCall next) {
    call = next;
    unsent = new PendingRequest(next.request());
    parser.begin(next.method());
  }

  private void send() throws IOException {
    if (unsent != null && channel != null) {
      if (unsent.writeTo(channel)) {
        unsent = null;
      } else {
        loop.execute(this::awaitRoom);
      }
    }
  }

  private void awaitRoom() {
    if (key != null && key.isValid()) {
      key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
    }
  }

  @Override
  public void ready(SelectionKey ready) {
    try {
      if (!connected) {
        finishConnect(ready);
      } else {
        if (ready.isWritable()) {
          ready.interestOps(SelectionKey.OP_READ);
          synchronized (this) {
            send();
          }
        }
        if (ready.isReadable()) {
          receive();
        }
      }
    } catch (IOException e) {
      end(e);
    }
  }

  private void finishConnect(SelectionKey ready) throws IOException {
    synchronized (this) {
      if (channel == null || !channel.finishConnect()) {
        return;
      }
      connected = true;
      ready.interestOps(SelectionKey.OP_READ);
      send();
    }
  }

  private void receive() throws IOException {
    HeldCall answered;
    Outcome.Replied reply;
    boolean again;
    synchronized (this) {
      if (channel == null || closed) {
        return;
      }
      int n = loop.read(channel);
      if (call == null) {
        throw new IOException("it spoke unasked, or closed");
      }
      int taken = n;
      if (n < 0) {
        parser.end();
      } else {
        taken = parser.feed(loop.bytes(), 0, n);
      }
      if (!parser.done()) {
        return;
      }
      answered = call;
      reply = call.reply(parser);
      again = n >= 0 && taken == n && unsent == null && parser.head().keepAlive;
      call = null;
      used = true;
      idleSince = System.nanoTime();
      timeoutNanos = answered.timeoutNanos();
      closed = !again;
    }
    if (again) {
      owner.idle(this);   // first, so that what the answer sets off finds it
    } else {
      close();
    }
    answered.replied(reply);
  }

  @Override
  public long look(long at, long now) {
    HeldCall late;
    boolean connecting;
    synchronized (this) {
      if (closed || at != lookAt) {
        return Looks.NEVER;
      }
      long due = call == null ? idleSince + IDLE_NANOS : connected ? call.deadlineNanos() : lookAt;
      if (due - now > 0) {
        // Not later than any call's deadline that may begin meanwhile, so that its sender need not wake the loop.
        lookAt = call == null ? now + Math.min(due - now, timeoutNanos) : due;
        return lookAt;
      }
      closed = true;
      late = call;
      call = null;
      connecting = !connected;
    }
    close();
    if (late != null && connecting && late.deadlineNanos() - now > 0) {
      late.notConnected(new SocketTimeoutException("Connect timed out"));
    } else if (late != null) {
      late.timedOut();
    }
    return Looks.NEVER;
  }

  @Override
  public void stop() {
    end(new IOException("the gateway is going down"));
  }

  @Override
  public synchronized boolean busy() {
    return call != null;
  }

  /** On the loop. */
  private void end(IOException cause) {
    HeldCall lost;
    boolean never;
    boolean silent;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      lost = call;
      call = null;
      never = !connected;
      silent = used && !parser.begun();
    }
    close();
    if (lost == null) {
      return;
    }
    if (never) {
      lost.notConnected(cause);
    } else if (cause instanceof AnswerParser.TooLarge) {
      lost.tooLarge();
    } else if (silent && lost.again()) {
      owner.sendAfresh(lost, instance, address);
    } else {
      lost.lost(cause);
    }
  }

  private void close() {
    owner.ended(this);
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // gone already
    }
  }
}

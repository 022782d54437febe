package io.weir.activator.internal;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A client's socket, and the request that it sends now. On its loop's thread only. */
final class Client {
  private static final Logger log = LoggerFactory.getLogger(Client.class);
  private static final int FIRST_BUFFER = 2 << 10;
  private static final int TURNS = 8;

  private final Carrier carrier;
  private final Loop loop;
  private final SocketChannel channel;
  private final SelectionKey key;
  private final Bytes in = new Bytes(FIRST_BUFFER);
  private Message request = Message.request();
  /** Bytes at the start of {@link #in} that belong to the request. */
  private int owed;
  private int reserved;
  private boolean ended;

  Client(Carrier carrier, Loop loop, SocketChannel channel, Loop.Ready ready) throws IOException {
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
    this.carrier = carrier;
    this.loop = loop;
    this.channel = channel;
    this.key = loop.register(channel, SelectionKey.OP_READ, ready);
  }

  Message request() {
    return request;
  }

  /** Whether something was read that went nowhere yet. */
  boolean hasSaidMore() {
    return in.size() > 0;
  }

  /** Whether something of the request was read that went nowhere yet. */
  boolean owes() {
    return owed > 0;
  }

  int capacity() {
    return in.capacity();
  }

  boolean makeRoom() {
    return in.makeRoom();
  }

  /** Finds out what of the bytes that were read belongs to the request. */
  void follow() {
    owed = request.feed(in.array(), in.start() + owed, in.end()) - in.start();
  }

  /** Everything it says belongs to the request from now on. */
  void giveUpFraming() {
    request.giveUp();
    follow();
  }

  /** The request is over; what was read beyond it begins the next. */
  void nextRequest() {
    request = Message.request();
    owed = 0;
    shrink();
    follow();
  }

  void closeAfterRequest() {
    byte[] head = Arrays.copyOfRange(in.array(), in.start(), in.start() + request.headBytes());
    byte[] closing = request.closing(head);
    in.replaceFirst(head.length, closing);
    owed += closing.length - head.length;
  }

  /** Passes the request on as far as it was read, and returns how many bytes were taken. */
  int passTo(Upstream upstream) throws IOException {
    int written = upstream.write(in, owed);
    owed -= written;
    return written;
  }

  /** Whether nothing more comes from it. */
  boolean hasEnded() {
    return ended;
  }

  /** Makes room for more of what it sends, unless there is {@code most} already or too much is held for all clients. */
  boolean grow(int most) {
    int more = Math.min(most, in.capacity() * 4) - in.capacity();
    if (more <= 0 || !carrier.reserve(more)) {
      return false;
    }
    in.resize(in.capacity() + more);
    reserved += more;
    return true;
  }

  /** Gives memory back if nothing is in it. */
  private void shrink() {
    if (in.size() == 0 && reserved > 0) {
      in.clear();
      in.resize(FIRST_BUFFER);
      carrier.giveBack(reserved);
      reserved = 0;
    }
  }

  /** Reads and follows, and if nothing is there waits for more. There must be room. Negative at the end. */
  int read() throws IOException {
    int read = in.readFrom(channel);
    if (read <= 0) {
      ended |= read < 0;
      wantToRead(read == 0);
    } else {
      follow();
    }
    return read;
  }

  /** Returns how many bytes it took. */
  int write(Bytes from) throws IOException {
    return from.writeTo(channel, from.size());
  }

  void wantToRead(boolean wanted) {
    want(SelectionKey.OP_READ, wanted);
  }

  void wantToWrite(boolean wanted) {
    want(SelectionKey.OP_WRITE, wanted);
  }

  private void want(int operation, boolean wanted) {
    if (key.isValid()) {
      int now = key.interestOps();
      int then = wanted ? now | operation : now & ~operation;
      if (then != now) {
        key.interestOps(then);
      }
    }
  }

  /** Nothing more is said to it; what it says is to be discarded. */
  void end() throws IOException {
    in.clear();
    owed = 0;
    channel.shutdownOutput();
    wantToWrite(false);
    wantToRead(true);
  }

  /** Reads for nothing, and returns whether the end has come. */
  boolean discard() throws IOException {
    Bytes sink = loop.buffer();
    try {
      int read = 1;
      for (int turn = 0; turn < TURNS && read > 0; turn++) {
        sink.clear();
        read = sink.readFrom(channel);
      }
      return read < 0;
    } finally {
      loop.recycle(sink);
    }
  }

  void resetOnClose() {
    try {
      channel.setOption(StandardSocketOptions.SO_LINGER, 0);
    } catch (IOException e) {
      log.debug("The client is gone already", e);
    }
  }

  void close() {
    carrier.giveBack(reserved);
    reserved = 0;
    closeQuietly(channel);
  }

  static void closeQuietly(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("A connection did not close", e);
    }
  }
}

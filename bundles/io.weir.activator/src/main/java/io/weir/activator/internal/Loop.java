package io.weir.activator.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread that waits for many sockets. Sleeps until something happens while there are no connections. */
final class Loop implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Loop.class);
  private static final long TICK_MILLIS = 250;
  static final int BUFFER = 32 << 10;
  private static final long LATER_NANOS = 1_000_000_000;
  private static final int KEPT_BUFFERS = 32;
  private static final long END_MILLIS = 2000;

  /** Called on the loop's thread. */
  interface Ready {
    void ready(SelectionKey key);
  }

  /** Has deadlines. Called on the loop's thread. */
  interface Member {
    void tick(long nowNanos);

    /** The loop ends: say goodbye without waiting for anything. */
    void goingDown();
  }

  private final Selector selector;
  private final Thread thread;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean woken = new AtomicBoolean();
  private final Set<Member> members = new HashSet<>();
  private final Deque<Bytes> buffers = new ArrayDeque<>();
  private volatile boolean closed;

  Loop(String name) {
    try {
      this.selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException("no selector: " + e.getMessage(), e);
    }
    this.thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Runs it on the loop's thread, soon. Returns false if the loop has ended; it may have been run even so. */
  boolean execute(Runnable task) {
    tasks.add(task);
    if (Thread.currentThread() != thread && woken.compareAndSet(false, true)) {
      selector.wakeup();
    }
    return !closed;
  }

  /** On the loop's thread. */
  SelectionKey register(SelectableChannel channel, int operations, Ready ready) throws ClosedChannelException {
    return channel.register(selector, operations, ready);
  }

  Selector selector() {
    return selector;
  }

  /** Runs it in about a second. On the loop's thread. */
  void later(Runnable task) {
    add(new Member() {
      private final long dueNanos = System.nanoTime() + LATER_NANOS;

      @Override
      public void tick(long nowNanos) {
        if (nowNanos - dueNanos > 0) {
          remove(this);
          task.run();
        }
      }

      @Override
      public void goingDown() {
        remove(this);
      }
    });
  }

  void add(Member member) {
    members.add(member);
  }

  void remove(Member member) {
    members.remove(member);
  }

  Bytes buffer() {
    Bytes kept = buffers.poll();
    return kept == null ? new Bytes(BUFFER) : kept;
  }

  void recycle(Bytes buffer) {
    buffer.clear();
    if (buffer.capacity() == BUFFER && buffers.size() < KEPT_BUFFERS) {
      buffers.push(buffer);
    }
  }

  private void run() {
    long ticked = System.nanoTime();
    while (!closed) {
      try {
        if (tasks.isEmpty()) {
          selector.select(members.isEmpty() ? 0 : TICK_MILLIS);
        } else {
          selector.selectNow();
        }
        woken.set(false);
        runTasks();
        for (SelectionKey key : List.copyOf(selector.selectedKeys())) {
          ready(key);
        }
        selector.selectedKeys().clear();
        long now = System.nanoTime();
        if (now - ticked >= TICK_MILLIS * 1_000_000) {
          ticked = now;
          List.copyOf(members).forEach(member -> guarded(() -> member.tick(now)));
        }
      } catch (IOException | ClosedSelectorException e) {
        log.error("Service addresses can no longer be served: {}", e.getMessage(), e);
        return;
      }
    }
    List.copyOf(members).forEach(member -> guarded(member::goingDown));
    runTasks();
    try {
      selector.close();
    } catch (IOException e) {
      log.debug("The selector did not close", e);
    }
  }

  private void ready(SelectionKey key) {
    if (key.isValid()) {
      guarded(() -> ((Ready) key.attachment()).ready(key));
    }
  }

  private void runTasks() {
    // Not those that are added meanwhile: sockets have their turn as well.
    int count = tasks.size();
    for (int i = 0; i < count; i++) {
      Runnable task = tasks.poll();
      if (task != null) {
        guarded(task);
      }
    }
  }

  private static void guarded(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException e) {
      log.error("Unexpected failure with a connection to a service address: {}", e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    try {
      thread.join(END_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

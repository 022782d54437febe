package io.weir.invoker.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread that waits for many connections, for their deadlines and for tasks. Nothing it runs may block. */
final class IoLoop implements Executor, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(IoLoop.class);
  private static final int BUFFER = 64 * 1024;

  /** Hears of what its channel can do. */
  interface Ready {
    void ready(SelectionKey key);

    /** The loop ends. */
    void stop();

    /** Whether somebody waits for it. */
    boolean busy();
  }

  private final Selector selector;
  private final Thread thread;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;

  // Of the thread.
  private final Looks looks = new Looks();
  private List<Runnable> afterwards = new ArrayList<>();
  private List<Runnable> spare = new ArrayList<>();
  private final ByteBuffer received = ByteBuffer.allocateDirect(BUFFER);
  private final byte[] bytes = new byte[BUFFER];

  IoLoop(String name) {
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException("no selector; has this process too many open files?", e);
    }
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Runs it on the thread, soon. */
  @Override
  public void execute(Runnable task) {
    if (closed) {
      throw new RejectedExecutionException("the loop has ended");
    }
    tasks.add(task);
    if (!isThread()) {
      selector.wakeup();
    }
  }

  boolean isThread() {
    return Thread.currentThread() == thread;
  }

  /** On the thread: runs it when all that is ready now has been seen to. On any other: runs it. */
  void afterwards(Runnable task) {
    if (isThread()) {
      afterwards.add(task);
    } else {
      task.run();
    }
  }

  /** On the thread. */
  SelectionKey register(SocketChannel channel, int ops, Ready ready) throws IOException {
    return channel.register(selector, ops, ready);
  }

  /** On the thread: looks at it then. */
  void lookAt(long nanos, Looks.Timed timed) {
    looks.add(nanos, timed);
  }

  /** On the thread: reads what is there into {@link #bytes}, and returns how much; below 0 at the end. */
  int read(SocketChannel channel) throws IOException {
    received.clear();
    int n = channel.read(received);
    if (n > 0) {
      received.flip().get(bytes, 0, n);
    }
    return n;
  }

  /** On the thread: valid until the next {@link #read}. */
  byte[] bytes() {
    return bytes;
  }

  /** Completes with whether anybody waits for anything. */
  CompletableFuture<Boolean> busy() {
    CompletableFuture<Boolean> busy = new CompletableFuture<>();
    execute(() -> busy.complete(selector.keys().stream().anyMatch(key -> key.isValid() && of(key).busy())));
    return busy;
  }

  private static Ready of(SelectionKey key) {
    return (Ready) key.attachment();
  }

  private void run() {
    serve();
    runTasks();
    List.copyOf(selector.keys()).forEach(key -> guarded(of(key)::stop));
    runAfterwards();
  }

  private void serve() {
    while (!closed) {
      try {
        runTasks();
        runAfterwards();
        long wait = tasks.isEmpty() ? looks.isEmpty() ? 0 : looks.millisLeft(System.nanoTime()) : -1;
        if (wait < 0) {
          selector.selectNow(this::ready);
        } else {
          selector.select(this::ready, wait);
        }
        if (!looks.isEmpty()) {
          looks.look(System.nanoTime());
        }
      } catch (ClosedSelectorException e) {
        return;
      } catch (IOException | RuntimeException | Error e) {
        LOG.error("the connections to functions could not be waited for; tried again", e);
      }
    }
  }

  private void runTasks() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      guarded(task);
    }
  }

  private void runAfterwards() {
    while (!afterwards.isEmpty()) {
      List<Runnable> now = afterwards;
      afterwards = spare;
      spare = now;
      now.forEach(IoLoop::guarded);
      now.clear();
    }
  }

  private void ready(SelectionKey key) {
    try {
      of(key).ready(key);
    } catch (CancelledKeyException e) {
      // closed by another one that was ready in the same round
    } catch (RuntimeException | Error e) {   // it is everybody's thread
      LOG.error("unexpected failure at the connection of a function", e);
    }
  }

  private static void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      LOG.error("unexpected failure between connections of functions", e);
    }
  }

  /** Stops what is registered, and ends the thread. */
  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    try {
      if (!isThread()) {
        thread.join(TimeUnit.SECONDS.toMillis(2));
      }
      selector.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      LOG.warn("the selector of the connections to functions could not be closed", e);
    }
  }
}

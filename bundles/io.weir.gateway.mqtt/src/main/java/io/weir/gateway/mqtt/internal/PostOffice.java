package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.InvocationJournal.Outgoing;
import io.weir.invocation.InvocationJournal.Output;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what the journal keeps for the broker and gives it to the functions' postboxes, a part at a time. Thread-safe;
 * one thread reads, and nobody waits for it.
 */
final class PostOffice implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PostOffice.class);
  private static final int PAGE = 16;
  /** Read and not settled. */
  private static final int MOST = 512;
  private static final long MOST_BYTES = 4 << 20;

  private final Context context;
  private final Map<FunctionName, Postbox> boxes = new ConcurrentHashMap<>();
  private final ExecutorService reader;
  private final AtomicBoolean reading = new AtomicBoolean();
  private volatile @Nullable AutoCloseable watch;
  /** Whether all was read that the journal had when it was last looked at. */
  private volatile boolean current;
  /** Of the reader: the journal it reads, and the last output it has read. */
  private @Nullable InvocationJournal source;
  private long seen;
  /** Of the reader: which functions there are, once that is known. */
  private Predicate<FunctionName> exists = name -> true;

  PostOffice(Context context) {
    this.context = context;
    ThreadPoolExecutor pool = new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
      Thread thread = new Thread(task, "weir-mqtt-outbox");
      thread.setDaemon(true);
      return thread;
    }, new ThreadPoolExecutor.DiscardPolicy());
    pool.allowCoreThreadTimeOut(true);
    this.reader = pool;
  }

  Postbox box(FunctionName function) {
    return boxes.computeIfAbsent(function, name -> new Postbox(name, context, this::read));
  }

  /** Sends what the journal is about to have, unless something else must go first. */
  void sendEarly(FunctionName function, long event, Output output) {
    context.durable().journal().ifPresent(journal -> box(function).sendEarly(Posting.early(event, output), current, journal));
  }

  /** Another journal, or none: what the last one keeps is told by it when it comes again. */
  void journal(@Nullable InvocationJournal journal) {
    AutoCloseable before = watch;
    watch = journal == null ? null : journal.watch(Posting.CHANNEL, this::read);
    if (before != null) {
      try {
        before.close();
      } catch (Exception e) {
        LOG.debug("the journal is gone already", e);
      }
    }
    read();
  }

  /** Functions that were removed while the gateway was away may have left messages, which nobody wants. */
  void forgetAllBut(Predicate<FunctionName> serving) {
    reader.execute(() -> {
      exists = serving;
      boxes.forEach((name, box) -> endUnlessServing(name, box));
    });
  }

  private void endUnlessServing(FunctionName name, Postbox box) {
    if (!exists.test(name)) {
      box.end();
    }
  }

  boolean current() {
    return current;
  }

  /** Soon, and once for all who want it by then. */
  private void read() {
    if (reading.compareAndSet(false, true)) {
      reader.execute(this::readOn);
    }
  }

  private void readOn() {
    reading.set(false);
    InvocationJournal journal = context.durable().journal().orElse(null);
    if (journal == null) {
      return;
    }
    if (journal != source) {
      source = journal;
      seen = 0;
      current = false;
    }
    try {
      List<Outgoing> page;
      do {
        if (boxes.values().stream().mapToInt(Postbox::size).sum() >= MOST
            || boxes.values().stream().mapToLong(Postbox::bytes).sum() >= MOST_BYTES) {
          current = false;
          return;  // who settles some of it has the rest read
        }
        page = journal.outgoing(Posting.CHANNEL, seen, PAGE);
        for (Outgoing outgoing : page) {
          seen = outgoing.number();
          Postbox box = box(outgoing.function());
          endUnlessServing(outgoing.function(), box);
          box.add(Posting.of(outgoing), journal);
        }
      } while (!page.isEmpty());
      current = true;
    } catch (RuntimeException e) {
      LOG.warn("the journal cannot be read now; messages wait there", e);
    }
  }

  @Override
  public void close() {
    reader.shutdown();
    AutoCloseable last = watch;
    if (last != null) {
      try {
        last.close();
      } catch (Exception e) {
        LOG.debug("the journal is gone already", e);
      }
    }
  }
}

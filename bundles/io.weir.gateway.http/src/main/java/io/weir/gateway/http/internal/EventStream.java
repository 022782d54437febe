package io.weir.gateway.http.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One client that listens to events (server-sent events). Writes on the subscription's thread. */
final class EventStream {
  private final Exchange.Stream stream;
  private final OutputStream out;
  private final Consumer<EventStream> onEnd;
  private final ReentrantLock lock = new ReentrantLock();
  /** What was replayed and may come again, because it was published while the stream began. */
  private final Set<GatewayEvent> replayed = Collections.newSetFromMap(new IdentityHashMap<>());
  private @Nullable AutoCloseable subscription;
  private boolean ended;

  EventStream(Exchange.Stream stream, Consumer<EventStream> onEnd) {
    this.stream = stream;
    this.out = stream.out();
    this.onEnd = onEnd;
  }

  void begin(Events events, boolean recent) {
    lock.lock();
    try {
      subscription = events.subscribe(this::heard);
      StringBuilder text = new StringBuilder(": weir\n\n");
      if (recent) {
        for (GatewayEvent event : events.recent()) {
          replayed.add(event);
          text.append(text(event));
        }
      }
      write(text.toString());
    } finally {
      lock.unlock();
    }
  }

  private void heard(GatewayEvent event) {
    lock.lock();
    try {
      if (!replayed.isEmpty() && replayed.remove(event)) {
        return;
      }
      replayed.clear();
      write(text(event));
    } finally {
      lock.unlock();
    }
  }

  /** Finds out whether the client is still there; does nothing if a write is under way. */
  void ping() {
    if (lock.tryLock()) {
      try {
        write(": ping\n\n");
      } finally {
        lock.unlock();
      }
    }
  }

  private static String text(GatewayEvent event) {
    return "event: " + EventViews.type(event) + "\ndata: " + Json.line(EventViews.view(event)) + "\n\n";
  }

  private void write(String text) {
    if (ended) {
      return;
    }
    try {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException | RuntimeException e) {
      end();
    }
  }

  /** The client went, or the gateway goes. */
  void end() {
    lock.lock();
    try {
      if (ended) {
        return;
      }
      ended = true;
      if (subscription != null) {
        subscription.close();
      }
      stream.complete();
    } catch (Exception e) {
      org.slf4j.LoggerFactory.getLogger(EventStream.class).debug("Ending a stream of events", e);
    } finally {
      lock.unlock();
      onEnd.accept(this);
    }
  }
}

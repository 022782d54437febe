package io.weir.gateway.mqtt.internal;

import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.invocation.InvocationJournal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what the journal keeps of one function, in order, on whatever connection there is.
 *
 * <p>Messages of one connection keep their order, so none waits for the receipt of another; what has none when the
 * connection ends goes first on the next one. A message of QoS 2 has the packet id that its number gives it, whoever sends
 * it, so that the broker knows it again: the next with that id waits.
 *
 * <p>What may come twice is sent early, before the journal has it, as long as nothing else must go first; the journal
 * tells its number a moment later.
 *
 * <p>Thread-safe; the monitor guards the fields and is held while messages are written, which does not block, because
 * they must be written in order. Nobody is told anything meanwhile.
 */
final class Postbox {
  private static final Logger LOG = LoggerFactory.getLogger(Postbox.class);
  private static final int ATTEMPTS = 20;
  private static final Duration RETRY = Duration.ofMillis(500);
  /** Written and without a receipt. */
  private static final int WINDOW = 256;

  private final FunctionName name;
  private final Context context;
  private final Runnable room;

  private final ArrayDeque<Posting> unsent = new ArrayDeque<>();
  private final Set<Posting> sent = new LinkedHashSet<>();
  /** Those that the broker has and must not be sent again. */
  private final Set<Posting> received = new HashSet<>();
  /** What was sent early and whose number is not known, by event. */
  private final Map<Long, Posting> early = new HashMap<>();
  /** The same as the journal calls it, once that is known. */
  private final Map<Posting, Posting> numbered = new HashMap<>();
  /** Events whose answers the broker had before their number was known. */
  private final Set<Long> done = new HashSet<>();
  /** Events whose answers were not sent early: nothing may overtake them. */
  private final Set<Long> declined = new HashSet<>();
  /** Chosen packet ids that are taken. */
  private final Set<Integer> ids = new HashSet<>();
  /** Those that the broker has let go of, and the journal not yet: a restart would release their packet ids again. */
  private final Set<Posting> settling = new HashSet<>();
  private final Map<Posting, Integer> refusals = new LinkedHashMap<>();
  /** Of all that is here: a journal that comes back tells of everything again. */
  private final Set<Long> numbers = new HashSet<>();
  private long bytes;
  private final Set<Posting> again = new HashSet<>();
  private @Nullable MqttConnection connection;
  private boolean pausing;
  private boolean removed;

  /** @param room called when some of what was given needs nothing any more */
  Postbox(FunctionName name, Context context, Runnable room) {
    this.name = name;
    this.context = context;
    this.room = room;
  }

  /** What is to be sent, in order. */
  void add(Posting posting, InvocationJournal journal) {
    boolean send;
    boolean wanted = false;
    synchronized (this) {
      if (!numbers.add(posting.number())) {
        return;
      }
      bytes += posting.payload().length;
      declined.remove(posting.event());
      Posting before = early.remove(posting.event());
      if (before != null) {
        numbered.put(before, posting);
        return;
      }
      if (!done.remove(posting.event())) {
        wanted = true;
      }
      if (posting.received() && (connection == null || connection.sessionPresent())) {
        received.add(posting);
      }
      send = wanted && !removed;
      if (send) {
        unsent.add(posting);
      }
    }
    if (send) {
      flush(journal);
    } else {
      settle(posting, journal);
    }
  }

  /** @param current whether the journal has nothing that was not added */
  void sendEarly(Posting posting, boolean current, InvocationJournal journal) {
    CompletableFuture<Void> answer;
    MqttConnection to;
    synchronized (this) {
      to = connection;
      if (removed) {
        return;
      }
      if (to == null || !current || pausing || posting.qos() == 2 || !unsent.isEmpty() || !declined.isEmpty()
          || sent.size() >= WINDOW) {
        declined.add(posting.event());
        return;
      }
      early.put(posting.event(), posting);
      sent.add(posting);
      answer = send(to, posting, journal);
    }
    answer.whenComplete((ok, error) -> answered(to, posting, error, journal));
  }

  /** What takes its place once it is not on its way any more; null: the journal has yet to tell of it. */
  private @Nullable Posting known(Posting posting) {
    if (!posting.early()) {
      return posting;
    }
    Posting known = numbered.remove(posting);
    if (known == null && early.remove(posting.event(), posting)) {
      declined.add(posting.event());
    }
    return known;
  }

  /** How many are not settled. */
  synchronized int size() {
    return numbers.size();
  }

  /** The bytes of those. */
  synchronized long bytes() {
    return bytes;
  }

  void attached(MqttConnection to) {
    synchronized (this) {
      connection = to;
      pausing = false;
      List<Posting> left = new ArrayList<>();
      sent.stream().map(this::known).filter(Objects::nonNull).forEach(left::add);
      for (int i = left.size() - 1; i >= 0; i--) {
        unsent.addFirst(left.get(i));
      }
      again.addAll(left);
      sent.clear();
      ids.clear();
      settling.forEach(posting -> ids.add(PacketIds.chosen(posting.number())));
      if (!to.sessionPresent()) {
        received.clear();  // a broker that forgot us may have forgotten them, too
      }
    }
    context.durable().journal().ifPresent(this::flush);
  }

  synchronized void detached() {
    connection = null;
  }

  /** The function exists, or exists again. */
  synchronized void serve() {
    removed = false;
  }

  /** The function is no more: nobody wants what it said. */
  void end() {
    List<Posting> dropped;
    synchronized (this) {
      removed = true;
      connection = null;
      dropped = new ArrayList<>();
      sent.stream().map(this::known).filter(Objects::nonNull).forEach(dropped::add);
      dropped.addAll(unsent);
      sent.clear();
      unsent.clear();
      received.clear();
      again.clear();
      ids.clear();
      done.clear();
      declined.clear();
    }
    context.durable().journal().ifPresent(journal -> dropped.forEach(posting -> settle(posting, journal)));
  }

  private void flush(InvocationJournal journal) {
    Map<Posting, CompletableFuture<Void>> written = new LinkedHashMap<>();
    MqttConnection to;
    synchronized (this) {
      to = connection;
      while (to != null && !pausing && !unsent.isEmpty() && sent.size() < WINDOW && mayBeSent(to, unsent.element())) {
        Posting posting = unsent.remove();
        sent.add(posting);
        written.put(posting, send(to, posting, journal));
      }
    }
    written.forEach((posting, answer) ->
        answer.whenComplete((ok, error) -> answered(to, posting, error, journal)));
  }

  private static boolean once(MqttConnection to, Posting posting) {
    return posting.qos() == 2 && to.takesQos2();
  }

  private boolean mayBeSent(MqttConnection to, Posting posting) {
    return !once(to, posting) || ids.add(PacketIds.chosen(posting.number()));
  }

  private void free(@Nullable MqttConnection on, Posting posting) {
    if (on != null && on == connection && once(on, posting)) {
      ids.remove(PacketIds.chosen(posting.number()));
    }
  }

  private CompletableFuture<Void> send(MqttConnection to, Posting posting, InvocationJournal journal) {
    if (once(to, posting)) {
      int id = PacketIds.chosen(posting.number());
      return received.contains(posting) ? to.release(id) : to.publishOnce(id, again.contains(posting), posting.topic(),
          posting.payload(), posting.properties(), () -> note(to, posting, journal, new CompletableFuture<>()));
    }
    return to.publish(posting.topic(), posting.payload(), posting.qos(), posting.properties());
  }

  /** Completes when the journal knows that the broker has it; not at all if that is of no use any more. */
  private CompletableFuture<Void> note(MqttConnection on, Posting posting, InvocationJournal journal,
      CompletableFuture<Void> noted) {
    journal.received(posting.number()).whenComplete((ok, error) -> {
      if (error == null) {
        synchronized (this) {
          received.add(posting);
        }
        noted.complete(null);
        return;
      }
      synchronized (this) {
        if (connection != on) {
          return;
        }
      }
      after(() -> note(on, posting, journal, noted));
    });
    return noted;
  }

  private void after(Runnable task) {
    try {
      context.timer().schedule(() -> context.write(task), RETRY.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The gateway ends; the journal keeps the message.
    }
  }

  private void answered(@Nullable MqttConnection from, Posting posting, @Nullable Throwable error,
      InvocationJournal journal) {
    Throwable cause = error instanceof CompletionException ? error.getCause() : error;
    if (cause instanceof PublishRefused refusal) {
      if (refusal.passing() && later(from, posting, journal)) {
        return;
      }
      LOG.error("{}: the answer of invocation {} could not be published to {} and is lost: {}", name,
          posting.invocation(), posting.topic(), cause.getMessage());
    } else if (cause != null) {
      return;  // the next connection tries again
    } else {
      context.events().publish(new GatewayEvent.Published(Instant.now(), posting.invocation(), name, posting.topic(),
          posting.payload().length));
    }
    Posting settled = posting;
    synchronized (this) {
      if (!sent.remove(posting) && !unsent.remove(posting)) {
        return;
      }
      if (posting.early()) {
        settled = numbered.remove(posting);
        if (settled == null) {
          early.remove(posting.event());
          done.add(posting.event());
        }
      }
      refusals.remove(posting);
      received.remove(posting);
      again.remove(posting);
      if (from != null && from == connection && once(from, posting)) {
        settling.add(posting);
      }
    }
    if (settled != null) {
      settle(settled, journal);
    }
    flush(journal);
  }

  private void settle(Posting posting, InvocationJournal journal) {
    synchronized (this) {
      numbers.remove(posting.number());
      bytes -= posting.payload().length;
    }
    noteSettled(posting, journal);
    room.run();
  }

  private void noteSettled(Posting posting, InvocationJournal journal) {
    journal.settled(posting.number()).whenComplete((ok, error) -> {
      boolean free;
      boolean again;
      synchronized (this) {
        again = error != null && settling.contains(posting);
        free = error == null && settling.remove(posting);
        if (free) {
          ids.remove(PacketIds.chosen(posting.number()));
        }
      }
      if (again) {
        after(() -> noteSettled(posting, journal));
      } else if (free) {
        flush(journal);
      }
    });
  }

  /** Tries once more in a while, and with it all that comes after it. */
  private boolean later(@Nullable MqttConnection on, Posting posting, InvocationJournal journal) {
    synchronized (this) {
      if (refusals.merge(posting, 1, Integer::sum) > ATTEMPTS) {
        return false;
      }
      if (connection != on || !sent.remove(posting)) {
        return true;
      }
      Posting known = known(posting);
      if (known == null) {
        return true;
      }
      pausing = true;
      unsent.addFirst(known);
      free(on, posting);
    }
    after(() -> {
      synchronized (this) {
        pausing = false;
      }
      flush(journal);
    });
    return true;
  }
}

package io.weir.journal.internal;

import io.weir.function.FunctionName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is kept, and where it is on the disk. It follows from the facts alone, so the same code makes it while the
 * gateway works and when it starts.
 *
 * <p>The writing thread changes it; every access holds its monitor, and nothing is read or called meanwhile.
 */
final class Index {
  /** Memory that something kept takes beside the disk; so what may be kept bounds both. */
  static final int OVERHEAD = 512;

  /** A key, which is unique within its function. */
  record Key(FunctionName function, String text) {}

  /** An event that is pending or a dead letter. */
  static final class Event {
    final long number;
    final FunctionName function;
    final long at;
    Optional<String> key;
    Ref ref;
    int attempts;
    /** Where it says why nobody could handle it; null while it is pending. */
    @Nullable Ref dead;

    /** @param function the one name for all of a function's events */
    Event(Fact.Accepted fact, FunctionName function, Ref ref) {
      this.number = fact.number();
      this.function = function;
      this.key = fact.entry().key();
      this.at = fact.at();
      this.ref = ref;
    }

    Event(Event other) {
      this.number = other.number;
      this.function = other.function;
      this.key = other.key;
      this.at = other.at;
      this.ref = other.ref;
      this.attempts = other.attempts;
      this.dead = other.dead;
    }
  }

  /** An event that has ended and whose key is known. */
  record Done(long number, Key key, long at, Ref ref) {}

  /** An output that is still to be sent. */
  static final class Out {
    final long number;
    final long event;
    final long at;
    final FunctionName function;
    final String channel;
    Ref ref;
    boolean received;

    /** @param function the one name for all of a function's outputs */
    Out(Fact.Output fact, FunctionName function, Ref ref) {
      this.number = fact.number();
      this.event = fact.event();
      this.at = fact.at();
      this.function = function;
      this.channel = fact.output().channel().intern();   // there are few, and thousands of outputs
      this.ref = ref;
    }
  }

  /** A value of a function's state. */
  record Value(Ref ref, long expires) {
    boolean isOver(long now) {
      return expires != 0 && expires <= now;
    }
  }

  /** What one function has. */
  private static final class Share {
    final FunctionName name;
    long bytes;
    long stateBytes;
    final TreeMap<Long, Event> pending = new TreeMap<>();
    final TreeMap<Long, Out> outs = new TreeMap<>();
    final TreeMap<String, Value> state = new TreeMap<>();

    Share(FunctionName name) {
      this.name = name;
    }
  }

  private final Map<FunctionName, Share> shares = new HashMap<>();
  private final TreeMap<Long, Event> pending = new TreeMap<>();
  private final TreeMap<Long, Event> dead = new TreeMap<>();
  private final Map<Key, Long> keys = new HashMap<>();
  private final LinkedHashMap<Long, Done> done = new LinkedHashMap<>();
  private final TreeMap<Long, Out> outs = new TreeMap<>();
  private final Map<String, TreeMap<Long, Out>> channels = new HashMap<>();
  private long bytes;
  private long doneBytes;
  private long highest;
  private long states;
  private Fact.Checkpoint checkpoint = new Fact.Checkpoint(0, List.of());

  private Share share(FunctionName function) {
    return shares.computeIfAbsent(function, Share::new);
  }

  private static long charge(Ref ref) {
    return ref.bytes() + OVERHEAD;
  }

  private void hold(FunctionName function, Ref ref) {
    bytes += charge(ref);
    share(function).bytes += charge(ref);
    ref.segment().hold(ref);
  }

  private void release(FunctionName function, Ref ref) {
    bytes -= charge(ref);
    share(function).bytes -= charge(ref);
    ref.segment().release(ref);
  }

  /** Makes it so, whatever it is; a fact about what is not there changes nothing. */
  synchronized void apply(Fact fact, Ref ref) {
    if (fact instanceof Fact.Accepted accepted) {
      accepted(accepted, ref);
    } else if (fact instanceof Fact.Done ended) {
      done(ended, ref);
    } else if (fact instanceof Fact.Attempted attempted) {
      Event event = event(attempted.number());
      if (event != null) {
        event.attempts = attempted.attempts();
      }
    } else if (fact instanceof Fact.Dead letter) {
      dead(letter, ref);
    } else if (fact instanceof Fact.Dropped dropped) {
      Event event = dead.get(dropped.number());
      if (event != null) {
        gone(event);
      }
    } else if (fact instanceof Fact.Forgotten forgotten) {
      forget(new Key(forgotten.function(), forgotten.key()));
    } else if (fact instanceof Fact.Output output) {
      output(output, ref);
    } else if (fact instanceof Fact.Received received) {
      Out out = outs.get(received.output());
      if (out != null) {
        out.received = true;
      }
    } else if (fact instanceof Fact.Settled settled) {
      settled(settled.output());
    } else if (fact instanceof Fact.Put put) {
      removeValue(put.function(), put.key());
      share(put.function()).state.put(put.key(), new Value(ref, put.expires()));
      share(put.function()).stateBytes += charge(ref);
      states++;
      hold(put.function(), ref);
    } else if (fact instanceof Fact.Deleted deleted) {
      removeValue(deleted.function(), deleted.key());
    } else if (fact instanceof Fact.Checkpoint next) {
      checkpoint = next;
    }
  }

  private void accepted(Fact.Accepted fact, Ref ref) {
    highest = Math.max(highest, fact.number());
    Event known = event(fact.number());
    if (known != null) {
      release(known.function, known.ref);
      known.ref = ref;
      hold(known.function, ref);
      return;
    }
    Event event = new Event(fact, share(fact.entry().invocation().function()).name, ref);
    event.key.ifPresent(key -> {
      forget(new Key(event.function, key));
      keys.put(new Key(event.function, key), event.number);
    });
    pending.put(event.number, event);
    share(event.function).pending.put(event.number, event);
    hold(event.function, ref);
  }

  private void done(Fact.Done fact, Ref ref) {
    Optional<Key> key = fact.key().map(text -> new Key(share(fact.function()).name, text));
    Event event = pending.get(fact.number());
    Done before = done.get(fact.number());
    if (before != null) {  // a copy
      ref.segment().hold(ref);
      before.ref.segment().release(before.ref);
      doneBytes += charge(ref) - charge(before.ref);
      done.put(fact.number(), new Done(fact.number(), before.key, fact.at(), ref));
      return;
    }
    boolean mine = key.isPresent() && (event == null ? !keys.containsKey(key.get())
        : Long.valueOf(fact.number()).equals(keys.get(key.get())));
    if (event != null) {
      gone(event);
    }
    if (mine) {
      keys.put(key.get(), fact.number());
      done.put(fact.number(), new Done(fact.number(), key.get(), fact.at(), ref));
      doneBytes += charge(ref);
      ref.segment().hold(ref);
    }
  }

  private void dead(Fact.Dead fact, Ref ref) {
    Event event = event(fact.number());
    if (event == null) {
      return;
    }
    if (event.dead == null) {
      pending.remove(event.number);
      share(event.function).pending.remove(event.number);
      dead.put(event.number, event);
    } else {
      release(event.function, event.dead);
    }
    event.dead = ref;
    event.attempts = fact.attempts();
    hold(event.function, ref);
  }

  /** An event is neither pending nor a dead letter any more. */
  private void gone(Event event) {
    pending.remove(event.number);
    share(event.function).pending.remove(event.number);
    dead.remove(event.number);
    release(event.function, event.ref);
    if (event.dead != null) {
      release(event.function, event.dead);
    }
    event.key.ifPresent(key -> keys.remove(new Key(event.function, key), event.number));
  }

  private void forget(Key key) {
    Long number = keys.remove(key);
    if (number == null) {
      return;
    }
    Event event = event(number);
    if (event != null) {
      event.key = Optional.empty();
    }
    Done ended = done.remove(number);
    if (ended != null) {
      doneBytes -= charge(ended.ref);
      ended.ref.segment().release(ended.ref);
    }
  }

  private void output(Fact.Output fact, Ref ref) {
    highest = Math.max(highest, fact.number());
    Out known = outs.get(fact.number());
    if (known != null) {
      release(known.function, known.ref);
      known.ref = ref;
    } else {
      Out out = new Out(fact, share(fact.function()).name, ref);
      outs.put(out.number, out);
      share(out.function).outs.put(out.number, out);
      channels.computeIfAbsent(out.channel, name -> new TreeMap<>()).put(out.number, out);
    }
    hold(fact.function(), ref);
  }

  private void settled(long number) {
    Out out = outs.remove(number);
    if (out != null) {
      share(out.function).outs.remove(number);
      TreeMap<Long, Out> channel = channels.get(out.channel);
      if (channel != null && channel.remove(number) != null && channel.isEmpty()) {
        channels.remove(out.channel);
      }
      release(out.function, out.ref);
    }
  }

  private void removeValue(FunctionName function, String key) {
    Value value = share(function).state.remove(key);
    if (value != null) {
      share(function).stateBytes -= charge(value.ref);
      states--;
      release(function, value.ref);
    }
  }

  /** Forgets ended events: the oldest, until they take no more than this, and those that ended before a moment. */
  synchronized void remember(long mostBytes, long since) {
    while (!done.isEmpty()) {
      Done oldest = done.values().iterator().next();
      if (doneBytes <= mostBytes && oldest.at >= since) {
        return;
      }
      forget(oldest.key);
    }
  }

  // --- what the writing thread asks ----------------------------------------------------------------------------------

  /** Pending or a dead letter. */
  private @Nullable Event event(long number) {
    Event event = pending.get(number);
    return event == null ? dead.get(number) : event;
  }

  synchronized boolean isPending(long number) {
    return pending.containsKey(number);
  }

  synchronized boolean isDead(long number) {
    return dead.containsKey(number);
  }

  /** A copy of what is known of an event. */
  synchronized Optional<Event> find(long number) {
    return Optional.ofNullable(event(number)).map(Event::new);
  }

  synchronized Optional<Out> out(long number) {
    return Optional.ofNullable(outs.get(number));
  }

  /** The event that has this key. */
  synchronized Optional<Long> number(Key key) {
    return Optional.ofNullable(keys.get(key));
  }

  synchronized Optional<Done> done(long number) {
    return Optional.ofNullable(done.get(number));
  }

  synchronized Optional<Value> value(FunctionName function, String key) {
    Share share = shares.get(function);
    return share == null ? Optional.empty() : Optional.ofNullable(share.state.get(key));
  }

  /** What it takes to keep the value of a key. */
  synchronized long valueBytes(FunctionName function, String key) {
    return value(function, key).map(value -> charge(value.ref)).orElse(0L);
  }

  synchronized long eventBytes(long number) {
    Event event = event(number);
    return event == null ? 0 : charge(event.ref) + (event.dead == null ? 0 : charge(event.dead));
  }

  /** Bytes of everything but the events that have ended. */
  synchronized long bytes() {
    return bytes;
  }

  synchronized long doneBytes() {
    return doneBytes;
  }

  synchronized long bytes(FunctionName function) {
    Share share = shares.get(function);
    return share == null ? 0 : share.bytes;
  }

  synchronized long stateBytes(FunctionName function) {
    Share share = shares.get(function);
    return share == null ? 0 : share.stateBytes;
  }

  /** When the oldest event or output of a function that still waits was accepted. */
  synchronized Optional<Long> oldest(FunctionName function) {
    Share share = shares.get(function);
    if (share == null || share.pending.isEmpty() && share.outs.isEmpty()) {
      return Optional.empty();
    }
    long event = share.pending.isEmpty() ? Long.MAX_VALUE : share.pending.firstEntry().getValue().at;
    long output = share.outs.isEmpty() ? Long.MAX_VALUE : share.outs.firstEntry().getValue().at;
    return Optional.of(Math.min(event, output));
  }

  /** The highest number of an event or output so far. */
  synchronized long highest() {
    return highest;
  }

  synchronized void skipNumbersTo(long number) {
    highest = Math.max(highest, number);
  }

  synchronized Fact.Checkpoint checkpoint() {
    return checkpoint;
  }

  /** Whether a record is the one that somebody needs; a checkpoint is written anew whenever a segment goes. */
  synchronized boolean isLive(Fact fact, Segment segment, int at) {
    if (fact instanceof Fact.Accepted accepted) {
      Event event = event(accepted.number());
      return event != null && event.ref.is(segment, at);
    } else if (fact instanceof Fact.Done ended) {
      Done kept = done.get(ended.number());
      return kept != null && kept.ref.is(segment, at);
    } else if (fact instanceof Fact.Output output) {
      Out out = outs.get(output.number());
      return out != null && out.ref.is(segment, at);
    } else if (fact instanceof Fact.Put put) {
      return value(put.function(), put.key()).filter(value -> value.ref.is(segment, at)).isPresent();
    }
    return false;
  }

  synchronized int live(Segment segment) {
    return segment.live();
  }

  synchronized long liveBytes(Segment segment) {
    return segment.liveBytes();
  }

  /** Gives up what cannot be read any more. How much that is. */
  synchronized int abandon(Segment segment) {
    int before = segment.live();
    List.copyOf(pending.values()).stream().filter(event -> in(event, segment)).forEach(this::gone);
    List.copyOf(dead.values()).stream().filter(event -> in(event, segment)).forEach(this::gone);
    List.copyOf(done.values()).stream().filter(ended -> ended.ref.segment() == segment)
        .forEach(ended -> forget(ended.key));
    List.copyOf(outs.values()).stream().filter(out -> out.ref.segment() == segment)
        .forEach(out -> settled(out.number));
    shares.forEach((function, share) -> List.copyOf(share.state.entrySet()).stream()
        .filter(value -> value.getValue().ref.segment() == segment)
        .forEach(value -> removeValue(function, value.getKey())));
    return before;
  }

  private static boolean in(Event event, Segment segment) {
    return event.ref.segment() == segment || event.dead != null && event.dead.segment() == segment;
  }

  // --- what readers ask ----------------------------------------------------------------------------------------------

  synchronized List<Event> pending(long after, int limit) {
    return first(pending.tailMap(after, false), limit).stream().map(Event::new).toList();
  }

  synchronized List<Event> dead(long after, int limit) {
    return first(dead.tailMap(after, false), limit).stream().map(Event::new).toList();
  }

  synchronized List<Out> outgoing(String channel, long after, int limit) {
    TreeMap<Long, Out> outgoing = channels.get(channel);
    return outgoing == null ? List.of() : first(outgoing.tailMap(after, false), limit);
  }

  private static <T> List<T> first(NavigableMap<Long, T> all, int limit) {
    List<T> some = new ArrayList<>();
    for (T each : all.values()) {
      if (some.size() >= limit) {
        break;
      }
      some.add(each);
    }
    return some;
  }

  synchronized List<String> stateKeys(FunctionName function, long now) {
    Share share = shares.get(function);
    return share == null ? List.of() : share.state.entrySet().stream().filter(value -> !value.getValue().isOver(now))
        .map(Map.Entry::getKey).toList();
  }

  /** Values whose time is over. */
  synchronized List<Fact.Deleted> over(long now) {
    List<Fact.Deleted> over = new ArrayList<>();
    shares.forEach((function, share) -> share.state.forEach((key, value) -> {
      if (value.isOver(now)) {
        over.add(new Fact.Deleted(function, key));
      }
    }));
    return over;
  }

  /** How many there are of each kind. */
  record Counts(long pending, long outgoing, long dead, long done, long states, Map<FunctionName, Long> functions) {}

  synchronized Counts counts() {
    Map<FunctionName, Long> functions = new TreeMap<>();
    shares.forEach((function, share) -> {
      if (share.bytes > 0) {
        functions.put(function, share.bytes);
      }
    });
    return new Counts(pending.size(), outs.size(), dead.size(), done.size(), states, functions);
  }
}

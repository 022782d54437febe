package io.weir.delivery.internal;

import io.weir.function.Promise;
import io.weir.function.Promise.Level;
import io.weir.function.Promise.Order;
import io.weir.function.Promise.Retry;
import io.weir.function.Promise.Urgency;
import io.weir.invocation.Header;
import io.weir.invocation.InvocationJournal.Entry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What was promised about an event, as a note in the journal: a trigger that changes breaks no promise. */
final class Terms {
  private static final String NOTE = "promise";
  /** What holds for events that somebody else accepted and noted nothing about. */
  private static final Promise NONE = new Promise(Level.AT_LEAST_ONCE);

  /** Few, for tens of thousands of events. */
  private static final Map<String, Promise> KNOWN = new ConcurrentHashMap<>();
  private static final int MOST_KNOWN = 1000;

  private Terms() {}

  static Entry write(Entry entry, Promise promise) {
    List<Header> notes = new ArrayList<>(entry.notes());
    notes.removeIf(note -> note.name().equals(NOTE));
    notes.add(new Header(NOTE, promise.level().label() + " " + promise.urgency().label() + " "
        + promise.retry().attempts() + " " + promise.retry().deadline().toSeconds()));
    return new Entry(entry.invocation(), entry.key(), entry.order(), notes);
  }

  /** How the event's order came about is of no account any more: the entry has it. */
  static Promise read(Entry entry) {
    for (Header note : entry.notes()) {
      if (note.name().equals(NOTE)) {
        if (KNOWN.size() > MOST_KNOWN) {
          KNOWN.clear();
        }
        return KNOWN.computeIfAbsent(note.value(), Terms::parsed);
      }
    }
    return NONE;
  }

  private static Promise parsed(String note) {
    try {
      String[] words = note.split(" ");
      return new Promise(Level.of(words[0]), Order.TOPIC,
          new Retry(Integer.parseInt(words[2]), Duration.ofSeconds(Long.parseLong(words[3]))), Urgency.of(words[1]));
    } catch (RuntimeException e) {
      return NONE;  // of another version; better done than refused
    }
  }
}

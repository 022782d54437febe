package io.weir.journal.internal;

import io.weir.journal.internal.Layout.Found;
import io.weir.journal.internal.Log.NoRoom;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Frees the oldest segment by writing again what somebody needs of it.
 *
 * <p>Always the oldest: what ends something is never in an older segment than what it ends, so it may go as well when
 * its segment does. What belongs to an event or output goes together with it.
 */
final class Cleaner {
  private static final Logger LOG = LoggerFactory.getLogger(Cleaner.class);

  private final Index index;
  private final Log log;
  private @Nullable Segment oldest;
  private @Nullable Scan scan;
  private volatile long copied;

  Cleaner(Index index, Log log) {
    this.index = index;
    this.log = log;
  }

  /** Records that were written again. */
  long copied() {
    return copied;
  }

  boolean isBusy() {
    return oldest != null;
  }

  /** Whether something is in a file that is not to be trusted. */
  boolean isUrgent() {
    return log.segments().stream()
        .anyMatch(segment -> segment.isSuspect() || segment.number() <= index.checkpoint().upTo());
  }

  /** Frees the oldest segment completely. */
  void finishOldest() throws IOException, NoRoom {
    do {
      step(Integer.MAX_VALUE);
    } while (isBusy());
  }

  /**
   * Frees the oldest segment if there is room for what is needed of it, and if freeing one after the other gains room
   * in the end. Whether it did.
   */
  boolean gain() {
    List<Segment> segments = log.segments();
    if (segments.size() < 2) {
      return false;
    }
    long live = segments.stream().mapToLong(index::liveBytes).sum();
    long all = segments.stream().mapToLong(Segment::size).sum();
    Segment first = segments.get(0);
    // Records are packed again into fewer pages, so twice their bytes is ample; and a page for the checkpoint.
    if (live > all / 2 || 2 * index.liveBytes(first) + 2 * Layout.PAGE > log.ready()) {
      return false;
    }
    try {
      finishOldest();
      return true;
    } catch (IOException | NoRoom e) {
      LOG.debug("no segment could be freed", e);
      return false;
    }
  }

  /** Writes some of what is needed again, about as much as this; the last step removes the segment. */
  void step(int bytes) throws IOException, NoRoom {
    Segment segment = oldest;
    if (segment == null) {
      if (log.segments().isEmpty()) {
        return;
      }
      segment = log.segments().get(0);
      if (log.isCurrent(segment)) {
        log.leaveCurrent();
      }
      oldest = segment;
      scan = null;
    }
    Scan reading = scan == null ? new Scan(segment.file(), segment.header(), segment.end(), true) : scan;
    scan = reading;
    if (index.live(segment) > 0) {
      try {
        copy(segment, reading, bytes);
      } catch (IOException | NoRoom | RuntimeException e) {
        oldest = null;  // begins anew: what was read may not have been written
        throw e;
      }
      if (oldest != null && index.live(segment) > 0) {
        return;
      }
    }
    remove(segment);
  }

  private void copy(Segment segment, Scan reading, int bytes) throws IOException, NoRoom {
    List<Log.Record> records = new ArrayList<>();
    List<Fact> facts = new ArrayList<>();
    int size = 0;
    int read = 0;
    while (read < bytes && index.live(segment) > 0) {
      Scan.Group group = reading.next();
      if (group == null) {
        write(records, facts);
        if (index.live(segment) > 0) {
          giveUp(segment);
        }
        return;
      }
      read += group.bytes().limit();
      for (List<Found> change : group.changes()) {
        for (Found found : change) {
          Fact fact = fact(segment, group, found);
          if (fact == null || !index.isLive(fact, segment, group.ref(segment, found).at())) {
            continue;
          }
          List<Fact> again = again(fact);
          int more = 0;
          List<Log.Record> copies = new ArrayList<>();
          for (int i = 0; i < again.size(); i++) {
            copies.add(new Log.Record(FactCodec.type(again.get(i)), Layout.COPY | (i == 0 ? Layout.FIRST : 0)
                | (i < again.size() - 1 ? Layout.CONTINUED : 0), FactCodec.encode(again.get(i))));
            more += copies.get(i).bytes();
          }
          if (size + more > log.largest() && size > 0) {
            write(records, facts);
            size = 0;
          }
          size += more;
          records.addAll(copies);
          facts.addAll(again);
        }
      }
    }
    write(records, facts);
  }

  private static @Nullable Fact fact(Segment segment, Scan.Group group, Found found) {
    try {
      return group.fact(found);
    } catch (Damaged e) {
      segment.suspect("the record at " + (group.at() + found.at()) + ": " + e.getMessage());
      return null;
    }
  }

  /** The fact with all that was said of the same event or output since. */
  private List<Fact> again(Fact fact) {
    List<Fact> again = new ArrayList<>();
    if (fact instanceof Fact.Accepted accepted) {
      Index.Event event = index.find(accepted.number()).orElseThrow();
      var entry = accepted.entry();
      again.add(event.key.equals(entry.key()) ? accepted : new Fact.Accepted(accepted.number(), accepted.at(),
          new io.weir.invocation.InvocationJournal.Entry(entry.invocation(), event.key, entry.order(), entry.notes())));
      if (event.attempts > 0) {
        again.add(new Fact.Attempted(event.number, event.attempts));
      }
      if (event.dead != null) {
        again.add(dead(event, event.dead));
      }
      return again;
    }
    again.add(fact);
    if (fact instanceof Fact.Output output) {
      Optional<Index.Out> out = index.out(output.number());
      if (out.isPresent() && out.get().received) {
        again.add(new Fact.Received(output.number()));
      }
    }
    return again;
  }

  private static Fact dead(Index.Event event, Ref ref) {
    try {
      return ref.fact();
    } catch (Damaged e) {
      return new Fact.Dead(event.number, event.at, "unknown", String.valueOf(e.getMessage()), event.attempts);
    }
  }

  private void write(List<Log.Record> records, List<Fact> facts) throws IOException, NoRoom {
    if (records.isEmpty()) {
      return;
    }
    List<Ref> refs = log.append(records, true);
    for (int i = 0; i < facts.size(); i++) {
      index.apply(facts.get(i), refs.get(i));
    }
    copied += records.size();
    records.clear();
    facts.clear();
  }

  /** The segment was read to its end, and not all that it should hold was there. */
  private void giveUp(Segment segment) {
    segment.suspect("not all that it held can be read");
    LOG.error("{} entries of {} are lost; the file is set aside", index.abandon(segment), segment.name());
  }

  private void remove(Segment segment) throws IOException, NoRoom {
    oldest = null;
    scan = null;
    Fact.Checkpoint before = index.checkpoint();
    if (before.upTo() < segment.number()) {  // else it was written down, and only the file is left
      Fact.Checkpoint after =
          new Fact.Checkpoint(segment.number(), Digest.append(before.digests(), segment.digest()));
      List<Ref> refs =
          log.append(List.of(new Log.Record(FactCodec.CHECKPOINT, Layout.FIRST, FactCodec.encode(after))), true);
      index.apply(after, refs.get(0));
    }
    log.removeOldest();
  }
}

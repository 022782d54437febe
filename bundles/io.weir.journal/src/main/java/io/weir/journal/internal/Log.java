package io.weir.journal.internal;

import io.weir.journal.internal.FileSystem.StoredFile;
import io.weir.journal.internal.Layout.Head;
import io.weir.journal.internal.Layout.Header;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The segments, oldest first, of which the last is written to. Only the writing thread calls it; others may look at
 * {@link #segments()}.
 *
 * <p>A page that was forced is never written again, and a file that could not be forced never again at all: the kernel
 * may tell of a failure once and then call pages clean that it has lost. The group goes to a new segment then, whose
 * header says where the old one ends.
 */
final class Log {
  static final String SEGMENT = "journal-%016x.seg";
  static final String SPARE = "spare-";
  private static final Logger LOG = LoggerFactory.getLogger(Log.class);
  /** One to go on with, and one more that accepted events can end in when the disk is full. */
  private static final int SPARES = 2;

  /** There is no room for what grows; what ends something may still be written. */
  static final class NoRoom extends Exception {
    private static final long serialVersionUID = 1L;

    NoRoom(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }

  /** A record that is to be written. */
  record Record(int type, int flags, byte[] payload) {
    int bytes() {
      return Layout.RECORD_HEAD + payload.length;
    }
  }

  private final FileSystem files;
  private final long segmentBytes;
  private final LongSupplier random;
  private final LongSupplier clock;
  private final LongSupplier nextNumber;
  private final List<Segment> segments = new CopyOnWriteArrayList<>();
  private final Deque<String> spares = new ArrayDeque<>();
  private @Nullable Segment current;
  private long lastNumber;
  private long sequence = 1;
  private byte[] hash = Layout.beginning();
  private long lastTime;
  private boolean isShort;

  final LongAdder written = new LongAdder();
  final LongAdder syncs = new LongAdder();
  final LongAdder groups = new LongAdder();
  final LongAdder records = new LongAdder();

  /** @param nextNumber a number that no event has yet */
  Log(FileSystem files, long segmentBytes, LongSupplier random, LongSupplier clock, LongSupplier nextNumber) {
    this.files = files;
    this.segmentBytes = segmentBytes;
    this.random = random;
    this.clock = clock;
    this.nextNumber = nextNumber;
  }

  /** What was found at the start; nothing is ever written behind it in the same file. */
  void found(List<Segment> inOrder, List<String> unused, long highestNumber, long nextSequence, byte[] link,
      long time) {
    segments.addAll(inOrder);
    spares.addAll(unused);
    lastNumber = highestNumber;
    sequence = nextSequence;
    hash = link;
    lastTime = time;
    while (spares.size() > SPARES) {
      deleteQuietly(spares.removeLast());
    }
  }

  /** Counts a group that was found behind the end of the last segment. */
  void trust(Recovery.Tail tail, Segment.Extent whole) {
    tail.segment().grew(whole);
    hash = whole.hash();
    sequence = tail.group().head().sequence() + 1;
    lastTime = tail.group().head().time();
  }

  List<Segment> segments() {
    return segments;
  }

  byte[] hash() {
    return hash;
  }

  long bytes() {
    return segments.stream().mapToLong(Segment::size).sum() + spares.size() * segmentBytes;
  }

  /** The largest group of records that is taken. */
  long largest() {
    return segmentBytes / 2 - 2 * Layout.PAGE;
  }

  /**
   * Writes records as one group and forces it.
   *
   * @param reserve whether it may take the room that is left for what ends something
   * @return where each is
   * @throws IOException if the disk does not take them; whether they are there nobody knows, but they do not count
   */
  List<Ref> append(List<Record> group, boolean reserve) throws IOException, NoRoom {
    int length = group.stream().mapToInt(Record::bytes).sum();
    Segment to = current;
    if (to == null || Layout.pages(Layout.HEAD + length) > to.size() - to.end()) {
      return begin(group, length, reserve);
    }
    try {
      return write(to, group, length);
    } catch (IOException e) {
      LOG.error("{} of {} does not take a group and is not written any more; a new segment gets it", to.name(), files, e);
      to.distrust();
      current = null;
      try {
        return begin(group, length, true);
      } catch (IOException again) {
        again.addSuppressed(e);
        throw again;
      }
    }
  }

  private List<Ref> write(Segment to, List<Record> group, int length) throws IOException {
    List<Ref> refs = new ArrayList<>(group.size());
    long time = clock.getAsLong();
    ByteBuffer bytes = group(to, group, length, time, refs);
    to.file().write(bytes, to.end());
    written.add(bytes.limit());
    syncs.increment();
    to.file().force();
    counts(to, group, bytes, length, time);
    return refs;
  }

  /** The bytes of a group as it will be at the end of a segment, filled up to whole pages. */
  private ByteBuffer group(Segment to, List<Record> group, int length, long time, List<Ref> refs) {
    ByteBuffer bytes = ByteBuffer.allocate((int) Layout.pages(Layout.HEAD + length)).position(Layout.HEAD);
    for (Record each : group) {
      refs.add(new Ref(to, (int) to.end() + bytes.position(), each.payload.length));
      Layout.record(bytes, to.header().nonce(), each.type, each.flags, each.payload);
    }
    Layout.head(bytes.clear(), to.header().nonce(), new Head(length, group.size(), sequence, time, hash));
    return bytes;
  }

  /** It is on the disk: what comes next follows it. */
  private void counts(Segment to, List<Record> group, ByteBuffer bytes, int length, long time) {
    byte[] after = Layout.hash(bytes.clear(), length);
    Tally tally = to.extent().tally().at(time);
    for (Record each : group) {
      if ((each.flags & Layout.COPY) == 0) {
        tally = tally.plus(each.type, ByteBuffer.wrap(each.payload));
      }
    }
    to.grew(new Segment.Extent(to.end() + bytes.limit(), after, tally));
    hash = after;
    sequence++;
    groups.increment();
    records.add(group.size());
    if (time < lastTime - 1000) {
      LOG.warn("the clock went back by {} s; what is kept for a time is kept for longer", (lastTime - time) / 1000);
    }
    lastTime = time;
  }

  /**
   * Begins the next segment, in a file that was made before. It gets its name when its first group is in it: its header
   * says where the one before ends, so what that held beyond must be here by then.
   */
  private List<Ref> begin(List<Record> group, int length, boolean reserve) throws IOException, NoRoom {
    spares.removeIf(this::hasOtherSize);
    try {
      while (spares.size() < SPARES) {
        makeSpare();
      }
    } catch (IOException e) {
      if (spares.isEmpty() || !reserve && !isShort) {
        throw e;
      } else if (!reserve) {
        throw new NoRoom(e);
      }
    }
    Segment last = segments.isEmpty() ? null : segments.get(segments.size() - 1);
    // Also if this fails: the name may be on the disk then.
    lastNumber++;
    long time = clock.getAsLong();
    Header header = new Header(lastNumber, random.getAsLong(), time, last == null ? 0 : last.number(),
        last == null ? 0 : last.end(), sequence, nextNumber.getAsLong(), hash);
    String name = String.format(Locale.ROOT, SEGMENT, header.number());
    String spare = spares.remove();
    StoredFile file = null;
    try {
      file = files.open(spare, true);
      Segment next = new Segment(name, header, file, segmentBytes);
      List<Ref> refs = new ArrayList<>(group.size());
      ByteBuffer bytes = group(next, group, length, time, refs);
      file.write(Layout.header(header), 0);
      file.write(bytes, next.end());
      written.add(Layout.PAGE + bytes.limit());
      syncs.increment();
      file.force();
      files.rename(spare, name);
      segments.add(next);
      current = next;
      counts(next, group, bytes, length, time);
      return refs;
    } catch (IOException e) {
      if (file != null) {
        closeQuietly(file);
      }
      deleteQuietly(spare);  // whatever is wrong with it, it is not tried again
      throw e;
    }
  }

  private void deleteQuietly(String name) {
    try {
      files.delete(name);
    } catch (IOException e) {
      LOG.debug("{} cannot be deleted", name, e);
    }
  }

  /** Of a time when segments had another size; it is deleted. */
  private boolean hasOtherSize(String spare) {
    try (StoredFile file = files.open(spare, false)) {
      if (file.size() == segmentBytes) {
        return false;
      }
    } catch (IOException e) {
      LOG.debug("{} cannot be read", spare, e);
    }
    deleteQuietly(spare);
    return true;
  }

  private void makeSpare() throws IOException {
    String name = SPARE + String.format(Locale.ROOT, "%016x", random.getAsLong());
    try {
      files.create(name, segmentBytes).close();
    } catch (IOException e) {
      isShort = files.room() < segmentBytes;
      throw e;
    }
    isShort = false;
    written.add(segmentBytes);
    syncs.increment();
    spares.add(name);
  }

  /** Whether the disk had no room for a spare segment when it was last asked, and none was freed since. */
  boolean isShort() {
    return isShort && spares.size() < SPARES;
  }

  /** Bytes that can be written without a new file. */
  long ready() {
    Segment now = current;
    return (now == null ? 0 : now.size() - now.end()) + spares.size() * (segmentBytes - Layout.PAGE);
  }

  /** Makes the next file in time, so that nobody waits for it: when half of the current one is written. */
  void prepare() {
    Segment now = current;
    if (now != null && spares.size() < SPARES && now.end() > now.size() / 2) {
      try {
        makeSpare();
      } catch (IOException e) {
        LOG.debug("no spare segment yet", e);
      }
    }
  }

  /** Whether a segment is the one that is written to. */
  boolean isCurrent(Segment segment) {
    return segment == current;
  }

  /** Takes the oldest segment away, which nobody needs any more. */
  void removeOldest() throws IOException {
    Segment oldest = segments.get(0);
    boolean free = oldest.retire();
    segments.remove(oldest);
    if (oldest.isSuspect()) {
      setAside(files, oldest.name(), oldest.problem().isEmpty() ? "failed" : "damaged");
    } else if (free && spares.size() < SPARES && oldest.size() == segmentBytes) {
      String spare = SPARE + oldest.name();
      files.rename(oldest.name(), spare);
      spares.add(spare);
    } else {
      files.delete(oldest.name());
    }
  }

  /** Gives a file a name that is never read again, so that people can look at it. */
  static String setAside(FileSystem files, String name, String why) throws IOException {
    List<String> there = files.list();
    String aside = name + "." + why;
    for (int i = 2; there.contains(aside); i++) {
      aside = name + "." + why + "-" + i;
    }
    files.rename(name, aside);
    LOG.error("{}/{} was set aside as {}", files, name, aside);
    return aside;
  }

  /** Stops writing to the current segment; the next group begins a new one. */
  void leaveCurrent() {
    current = null;
  }

  void close() {
    segments.forEach(segment -> {
      try {
        segment.retire();
      } catch (IOException e) {
        LOG.debug("{} does not close", segment.name(), e);
      }
    });
  }

  private static void closeQuietly(Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException e) {
      LOG.debug("a file does not close", e);
    }
  }
}

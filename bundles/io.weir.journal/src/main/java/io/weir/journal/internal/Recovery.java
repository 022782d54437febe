package io.weir.journal.internal;

import io.weir.journal.internal.FileSystem.StoredFile;
import io.weir.journal.internal.Layout.Found;
import io.weir.journal.internal.Layout.Header;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the index from what is in the folder, whatever is in there. It writes nothing, but gives files that cannot be
 * read at all another name.
 */
final class Recovery {
  private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);
  private static final Pattern NAME = Pattern.compile("journal-([0-9a-f]{16})\\.seg(\\..+)?");
  /** More numbers than what cannot be read can have used. */
  private static final long GAP = 1L << 20;

  /**
   * The last group of all. Whether it was forced nobody knows: a process that was killed may have left it in memory
   * only, and after a failed fsync the kernel says that all is well. So it is written again before it counts.
   *
   * @param whole what the segment is with it; null if it was not written as a whole, and was never told to count
   */
  record Tail(Segment segment, Scan.Group group, Segment.@Nullable Extent whole) {}

  /** What there is, but for the tail. */
  record Result(Index index, List<Segment> segments, List<String> spares, Optional<Tail> tail, long highestSegment,
      long nextSequence, byte[] hash, long lastTime) {}

  private final FileSystem files;
  private final Report report;
  private final List<Segment> segments = new ArrayList<>();
  private final List<String> spares = new ArrayList<>();
  private long highestSegment;
  private boolean lost;

  // of one reading
  private Index index = new Index();
  private Optional<Tail> tail = Optional.empty();
  private long sequence;
  private byte[] hash = Layout.beginning();
  private long lastTime;

  Recovery(FileSystem files, Report report) {
    this.files = files;
    this.report = report;
  }

  /**
   * Reads what is there.
   *
   * @throws IOException if the folder itself cannot be read, or a segment is of another version of the format; nothing was
   *     changed then
   */
  Result run() throws IOException {
    List<String> names = files.list();
    for (String name : names) {
      if (isSegment(name)) {
        requireOurVersion(name);
      }
    }
    for (String name : names) {
      Matcher matcher = NAME.matcher(name);
      if (name.startsWith(Log.SPARE)) {
        spares.add(name);
      } else if (matcher.matches()) {
        long number = Long.parseUnsignedLong(matcher.group(1), 16);
        highestSegment = Math.max(highestSegment, number);
        if (matcher.group(2) == null) {
          open(name, number);
        } else {
          report.aside(1);
        }
      }
    }
    dropOrphans();
    read();
    if (dropLeftovers()) {
      read();
    }
    if (lost) {
      index.skipNumbersTo(Math.max(index.highest() + GAP, highestSegment * GAP));
      sequence += GAP;
    }
    return new Result(index, segments, spares, tail, highestSegment, sequence + 1, hash, lastTime);
  }

  private static boolean isSegment(String name) {
    Matcher matcher = NAME.matcher(name);
    return matcher.matches() && matcher.group(2) == null;
  }

  /** What a newer gateway has written is all there when it is installed again, if nobody has gone on without it. */
  private void requireOurVersion(String name) throws IOException {
    ByteBuffer page = ByteBuffer.allocate(Layout.PAGE);
    StoredFile file = null;
    try {
      file = files.open(name, false);
      file.read(page, 0);
    } catch (IOException e) {
      return;   // the reason is told when it is opened
    } finally {
      if (file != null) {
        file.close();
      }
    }
    try {
      Layout.header(page.clear());
    } catch (Layout.OtherVersion e) {
      throw new IOException(name + " " + e.getMessage() + "; install the version of Weir again that wrote it, or move the"
          + " folder away to begin with an empty journal; nothing was changed", e);
    }
  }

  private void open(String name, long number) throws IOException {
    StoredFile file = null;
    try {
      file = files.open(name, false);
      ByteBuffer page = ByteBuffer.allocate(Layout.PAGE);
      file.read(page, 0);
      Optional<Header> header = Layout.header(page.clear());
      if (header.isPresent() && header.get().number() == number) {
        segments.add(new Segment(name, header.get(), file, file.size()));
        return;
      }
      file.close();
      aside(name, "damaged", header.isPresent() ? "says it is segment " + header.get().number()
          : "has no readable header");
    } catch (IOException e) {
      if (file != null) {
        file.close();
      }
      aside(name, "unreadable", "cannot be read: " + e);
    }
  }

  /** A file of which nothing can be used. */
  private void aside(String name, String kind, String why) {
    lost = true;
    tell(name + " " + why);
    try {
      Log.setAside(files, name, kind);
      report.aside(1);
    } catch (IOException e) {
      tell(name + " could not be set aside: " + e);
    }
  }

  private void tell(String finding) {
    report.add(finding);
    LOG.error("{}: {}", files, finding);
  }

  /** Segments that were begun and failed, so that what came next was written to another one: they do not count. */
  private void dropOrphans() throws IOException {
    long above = Long.MAX_VALUE;
    for (int i = segments.size() - 1; i >= 0; i--) {
      Segment segment = segments.get(i);
      if (segment.number() >= above) {
        continue;
      }
      above = segment.number();
      long previous = segment.header().previous();
      for (Segment orphan : List.copyOf(segments)) {
        if (orphan.number() > previous && orphan.number() < segment.number()) {
          segments.remove(orphan);
          orphan.retire();
          delete(orphan);
          i--;
        }
      }
    }
  }

  private void delete(Segment segment) {
    try {
      files.delete(segment.name());
    } catch (IOException e) {
      LOG.warn("{} of {} does not count, but could not be deleted", segment.name(), files, e);
    }
  }

  /** Segments that were removed, if the disk forgot it: everything that counts was written elsewhere. */
  private boolean dropLeftovers() throws IOException {
    long upTo = index.checkpoint().upTo();
    List<Segment> leftovers = segments.stream().filter(segment -> segment.number() <= upTo).toList();
    for (Segment leftover : leftovers) {
      segments.remove(leftover);
      leftover.retire();
      if (leftover.isSuspect()) {
        aside(leftover.name(), "damaged", leftover.problem());
      } else {
        delete(leftover);
      }
    }
    return !leftovers.isEmpty();
  }

  private void read() {
    index = new Index();
    tail = Optional.empty();
    sequence = 0;
    hash = segments.isEmpty() ? Layout.beginning() : segments.get(0).header().link();
    lastTime = 0;
    for (Segment segment : segments) {
      read(segment);
    }
    // Only now is it known what the first segment followed.
    List<Digest> digests = index.checkpoint().digests();
    if (!segments.isEmpty()) {
      Header first = segments.get(0).header();
      byte[] before = digests.isEmpty() ? Layout.beginning() : digests.get(digests.size() - 1).after();
      if (!Arrays.equals(before, first.link())) {
        lost = true;
        tell("what was before segment " + first.number() + " is missing");
      }
    }
  }

  private void read(Segment segment) {
    Header header = segment.header();
    int place = segments.indexOf(segment);
    if (place > 0 && !segments.get(place - 1).isSuspect() && !Arrays.equals(hash, header.link())) {
      lost = true;
      tell("what was before segment " + header.number() + " is missing");
    }
    index.skipNumbersTo(header.nextNumber() - 1);
    @Nullable Long end = segments.stream().filter(next -> next.header().previous() == segment.number())
        .map(next -> next.header().previousEnd()).reduce((one, later) -> later).orElse(null);
    boolean endKnown = end != null && end <= segment.size();
    Scan scan = new Scan(segment.file(), header, endKnown ? end : segment.size(), endKnown);
    hash = header.link();
    sequence = Math.max(sequence, header.sequence() - 1);
    Tally tally = Tally.NOTHING;
    boolean follows = true;
    long at = Layout.PAGE;
    boolean last = segment == segments.get(segments.size() - 1);
    Scan.Group next = scan.next();
    while (next != null) {
      Scan.Group group = next;
      boolean torn = scan.torn();
      next = torn ? null : scan.next();
      if (torn) {
        tail = Optional.of(new Tail(segment, group, null));
        break;
      }
      if (follows && !Arrays.equals(hash, group.head().link())) {
        segment.suspect("the group at " + group.at() + " does not follow the one before");
      }
      boolean isTail = last && next == null && !scan.torn() && group.intact();
      if (isTail) {
        tail = Optional.of(new Tail(segment, group, new Segment.Extent(scan.at(), group.hash(),
            tallied(group, tally.at(group.head().time())))));
        break;
      }
      follows = group.intact();
      hash = group.hash();
      at = group.at() + group.head().padded();
      sequence = Math.max(sequence, group.head().sequence());
      lastTime = group.head().time();
      tally = tallied(group, tally.at(lastTime));
      apply(segment, group);
    }
    scan.problems().forEach(segment::suspect);
    segment.grew(new Segment.Extent(tail.isPresent() || last ? at : scan.at(), hash, tally));
    if (scan.torn()) {
      report.add(segment.name() + ": the last group was not written as a whole");
      LOG.warn("{}/{}: the last group was not written as a whole, so nobody was told that it counts", files,
          segment.name());
    }
    if (!segment.problem().isEmpty()) {
      lost = true;
      tell(segment.name() + ": " + segment.problem());
    }
  }

  private static Tally tallied(Scan.Group group, Tally before) {
    Tally tally = before;
    for (List<Found> change : group.changes()) {
      for (Found found : change) {
        try {
          tally = found.copy() ? tally : tally.plus(found.type(), group.payload(found));
        } catch (Damaged e) {
          LOG.debug("a record does not count", e);
        }
      }
    }
    return tally;
  }

  private void apply(Segment segment, Scan.Group group) {
    for (List<Found> change : group.changes()) {
      for (Found found : change) {
        try {
          index.apply(group.fact(found), group.ref(segment, found));
        } catch (Damaged e) {
          segment.suspect("the record at " + (group.at() + found.at()) + ": " + e.getMessage());
        }
      }
    }
  }
}

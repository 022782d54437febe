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
   * What there is.
   *
   * @param carried changes of the last group, if that was not written as a whole; they are to be written again
   */
  record Result(Index index, List<Segment> segments, List<String> spares, List<List<Log.Record>> carried,
      long highestSegment, long nextSequence, byte[] hash, long lastTime) {}

  private final FileSystem files;
  private final Report report;
  private final List<Segment> segments = new ArrayList<>();
  private final List<String> spares = new ArrayList<>();
  private long highestSegment;
  private boolean lost;

  // of one reading
  private Index index = new Index();
  private List<List<Log.Record>> carried = new ArrayList<>();
  private long sequence;
  private byte[] hash = Layout.beginning();
  private long lastTime;

  Recovery(FileSystem files, Report report) {
    this.files = files;
    this.report = report;
  }

  /** @throws IOException if the folder itself cannot be read */
  Result run() throws IOException {
    for (String name : files.list()) {
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
    read();
    if (dropLeftovers()) {
      read();
    }
    if (!segments.isEmpty()) {
      force(segments.get(segments.size() - 1));
    }
    if (lost) {
      index.skipNumbersTo(Math.max(index.highest() + GAP, highestSegment * GAP));
      sequence += GAP;
    }
    return new Result(index, segments, spares, carried, highestSegment, sequence + 1, hash, lastTime);
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
    } catch (Layout.OtherVersion e) {
      file.close();
      aside(name, "version", String.valueOf(e.getMessage()));
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

  /** Segments that were removed, if the disk forgot it: everything that counts was written elsewhere. */
  private boolean dropLeftovers() throws IOException {
    long upTo = index.checkpoint().upTo();
    List<Segment> leftovers = segments.stream().filter(segment -> segment.number() <= upTo).toList();
    for (Segment leftover : leftovers) {
      segments.remove(leftover);
      leftover.retire();
      try {
        if (leftover.isSuspect()) {
          Log.setAside(files, leftover.name(), "damaged");
        } else {
          files.delete(leftover.name());
        }
      } catch (IOException e) {
        LOG.warn("{} of {} is not needed any more, but could not be deleted", leftover.name(), files, e);
      }
    }
    return !leftovers.isEmpty();
  }

  private void read() {
    index = new Index();
    carried = new ArrayList<>();
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
    for (Scan.Group group = scan.next(); group != null; group = scan.next()) {
      if (scan.torn()) {
        for (List<Found> change : group.changes()) {
          carry(change, group);
        }
        break;
      }
      if (follows && !Arrays.equals(hash, group.head().link())) {
        segment.suspect("the group at " + group.at() + " does not follow the one before");
      }
      follows = group.intact();
      hash = group.hash();
      sequence = Math.max(sequence, group.head().sequence());
      lastTime = group.head().time();
      tally = apply(segment, group, tally.at(lastTime));
    }
    scan.problems().forEach(segment::suspect);
    segment.grew(new Segment.Extent(scan.at(), hash, tally));
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

  private Tally apply(Segment segment, Scan.Group group, Tally before) {
    Tally tally = before;
    for (List<Found> change : group.changes()) {
      for (Found found : change) {
        try {
          index.apply(group.fact(found), group.ref(segment, found));
          tally = found.copy() ? tally : tally.plus(found.type(), payload(group, found));
        } catch (Damaged e) {
          segment.suspect("the record at " + (group.at() + found.at()) + ": " + e.getMessage());
        }
      }
    }
    return tally;
  }

  private static ByteBuffer payload(Scan.Group group, Found found) {
    return group.bytes().duplicate().position(found.at()).limit(found.at() + found.length());
  }

  private void carry(List<Found> change, Scan.Group group) {
    List<Log.Record> records = new ArrayList<>();
    for (Found found : change) {
      byte[] bytes = new byte[found.length()];
      payload(group, found).get(bytes);
      records.add(new Log.Record(found.type(), found.flags(), bytes));
    }
    carried.add(records);
  }

  /** What a killed process wrote may be in memory only, and would be taken for lasting. */
  private void force(Segment last) {
    try {
      last.file().force();
    } catch (IOException e) {
      last.distrust();
      tell(last.name() + " could not be forced to the disk: " + e.getMessage());
    }
  }
}

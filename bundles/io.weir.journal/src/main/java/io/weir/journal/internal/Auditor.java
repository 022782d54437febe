package io.weir.journal.internal;

import io.weir.invocation.Audit;
import java.io.Closeable;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/** Reads all segments again, follows the chain through them and the digests of those that are gone, and counts. */
final class Auditor {
  private final Index index;
  private final List<Segment> segments;

  private long from;
  private long to;
  private long accepted;
  private long done;
  private long dead;
  private long duplicates;
  private long pending;
  private final List<String> problems = new ArrayList<>();
  private byte[] hash = Layout.beginning();

  private Auditor(Index index, List<Segment> segments, Instant from, Instant to) {
    this.index = index;
    this.segments = segments;
    this.from = from.toEpochMilli();
    this.to = to.toEpochMilli();
  }

  static Audit audit(Index index, List<Segment> segments, Instant from, Instant to) {
    return new Auditor(index, segments, from, to).run();
  }

  /** A segment as it was when the audit began. */
  private record Part(Segment segment, Segment.Extent extent, Closeable reading) {}

  private Audit run() {
    List<Part> parts = new ArrayList<>();
    Fact.Checkpoint checkpoint;
    try {
      // The checkpoint after the files: what is in both is told by its number.
      for (Segment segment : segments) {
        Closeable reading = segment.reading();
        if (reading != null) {
          parts.add(new Part(segment, segment.extent(), reading));
        }
      }
      checkpoint = index.checkpoint();
      follow(checkpoint, parts);
    } finally {
      for (Part part : parts) {
        try {
          part.reading.close();
        } catch (IOException e) {
          problems.add(part.segment.name() + " does not close: " + e.getMessage());
        }
      }
    }
    return new Audit(Instant.ofEpochMilli(from), Instant.ofEpochMilli(to), accepted, done, dead, pending, duplicates,
        problems.isEmpty(), problems, HexFormat.of().formatHex(hash));
  }

  private void follow(Fact.Checkpoint checkpoint, List<Part> parts) {
    List<Digest> digests = checkpoint.digests();
    for (int i = 0; i < digests.size(); i++) {
      Digest digest = digests.get(i);
      if (!digest.problem().isEmpty()) {
        problems.add("segments " + digest.firstSegment() + " to " + digest.lastSegment() + ", which are gone: "
            + digest.problem());
      }
      if (i > 0) {
        digests.get(i - 1).gapBefore(digest).ifPresent(problems::add);
      }
      add(digest.tally());
      hash = digest.after();
    }
    long upTo = checkpoint.upTo();
    if (digests.isEmpty() && !parts.isEmpty() && parts.get(0).segment.header().sequence() != 1) {
      problems.add("what was before segment " + parts.get(0).segment.number() + " is missing");
    }
    boolean suspect = !digests.isEmpty() && !digests.get(digests.size() - 1).problem().isEmpty();
    for (Part part : parts) {
      if (part.segment.number() > upTo) {
        if (!suspect && !Arrays.equals(hash, part.segment.header().link())) {
          problems.add("what was before segment " + part.segment.number() + " is missing");
        }
        suspect = read(part);
      }
    }
  }

  /** Sums of a longer span than was asked for count as a whole; then the span is longer. */
  private void add(Tally tally) {
    if (tally.from() > tally.to()) {
      return;
    }
    if (tally.from() < to) {
      pending += tally.accepted() - tally.done() - tally.dead();
      if (tally.to() >= from) {
        from = Math.min(from, tally.from());
        to = Math.max(to, tally.to() + 1);
        accepted += tally.accepted();
        done += tally.done();
        dead += tally.dead();
        duplicates += tally.duplicates();
      }
    }
  }

  /** Whether something is wrong with it. */
  private boolean read(Part part) {
    Segment segment = part.segment;
    Scan scan = new Scan(segment.file(), segment.header(), part.extent.end(), true);
    hash = segment.header().link();
    int before = problems.size();
    boolean follows = true;
    for (Scan.Group group = scan.next(); group != null; group = scan.next()) {
      if (follows && !Arrays.equals(hash, group.head().link())) {
        problems.add(segment.name() + ": the group at " + group.at() + " does not follow the one before");
      }
      follows = group.intact();
      hash = group.hash();
      long time = group.head().time();
      Tally tally = Tally.NOTHING;
      for (List<Layout.Found> change : group.changes()) {
        for (Layout.Found found : change) {
          if (!found.copy()) {
            tally = tally.plus(found.type(), group.payload(found));
          }
        }
      }
      count(tally, time);
    }
    scan.problems().forEach(problem -> problems.add(segment.name() + ": " + problem));
    if (follows && !Arrays.equals(hash, part.extent.hash())) {
      problems.add(segment.name() + " was written anew");
    }
    return problems.size() > before;
  }

  private void count(Tally tally, long time) {
    if (time < to) {
      pending += tally.accepted() - tally.done() - tally.dead();
      if (time >= from) {
        accepted += tally.accepted();
        done += tally.done();
        dead += tally.dead();
        duplicates += tally.duplicates();
      }
    }
  }
}

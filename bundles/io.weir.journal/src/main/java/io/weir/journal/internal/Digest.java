package io.weir.journal.internal;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * What is kept of segments that were removed: sums, and the two ends of the chain between which they lay.
 *
 * @param firstSegment number of the first segment
 * @param lastSegment of the last
 * @param before the hash before its first group
 * @param after the hash after its last group
 * @param tally what they held
 * @param problem what was wrong with them; empty: nothing
 */
record Digest(long firstSegment, long lastSegment, byte[] before, byte[] after, Tally tally, String problem) {
  private static final int MOST = 64;

  /** Adds one that follows; when there are many, the two oldest become one, so that recent ones stay fine. */
  static List<Digest> append(List<Digest> digests, Digest next) {
    List<Digest> all = new ArrayList<>(digests);
    all.add(next);
    if (all.size() > MOST) {
      all.set(1, all.get(0).merge(all.get(1)));
      all.remove(0);
    }
    return List.copyOf(all);
  }

  private Digest merge(Digest next) {
    String gap = gapBefore(next).orElse("");
    List<String> problems = new ArrayList<>(List.of(problem, gap, next.problem));
    problems.removeIf(String::isEmpty);
    String text = String.join("; ", problems);
    return new Digest(firstSegment, next.lastSegment, before, next.after, tally.plus(next.tally),
        text.length() <= 500 ? text : text.substring(0, 500) + "…");
  }

  /** What is wrong between this one and the one that follows. */
  Optional<String> gapBefore(Digest next) {
    return java.util.Arrays.equals(after, next.before) ? Optional.empty()
        : Optional.of(String.format("between segments %d and %d the chain leads from %s to %s", lastSegment,
            next.firstSegment, hex(after), hex(next.before)));
  }

  static String hex(byte[] hash) {
    return HexFormat.of().formatHex(hash, 0, 8) + "…";
  }

  void encode(Encoder to) {
    to.number(firstSegment).number(lastSegment).bytes(before).bytes(after);
    tally.encode(to);
    to.text(problem);
  }

  static Digest decode(Decoder from) {
    return new Digest(from.number(), from.number(), from.bytes(), from.bytes(), Tally.decode(from), from.text());
  }
}

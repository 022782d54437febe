package io.weir.journal.internal;

import io.weir.journal.internal.FileSystem.StoredFile;
import io.weir.journal.internal.Layout.Found;
import io.weir.journal.internal.Layout.Head;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a segment's groups one after the other, and what can still be read of those that are damaged. */
final class Scan {
  private static final int AT_ONCE = 256 << 10;

  /**
   * A group.
   *
   * @param at where it begins in the file
   * @param bytes the group from its head on
   * @param changes records that count, change by change; all of them, if the group is intact
   * @param intact whether nothing of it is missing
   */
  record Group(long at, Head head, ByteBuffer bytes, List<List<Found>> changes, boolean intact) {
    byte[] hash() {
      return Layout.hash(bytes, head.length());
    }

    Ref ref(Segment segment, Found found) {
      return new Ref(segment, (int) at + found.at() - Layout.RECORD_HEAD, found.length());
    }

    ByteBuffer payload(Found found) {
      return bytes.duplicate().position(found.at()).limit(found.at() + found.length());
    }

    /** What a record says. */
    Fact fact(Found found) {
      return FactCodec.decode(found.type(), payload(found));
    }
  }

  private final StoredFile file;
  private final long nonce;
  private final long limit;
  private final boolean endKnown;
  private final List<String> problems = new ArrayList<>();
  private long at = Layout.PAGE;
  private long lastSequence;
  private long lastTime;
  private boolean torn;
  /** Bytes that may still be read for records whose place is not known. */
  private long patience = 64 << 20;

  /**
   * @param limit where to stop reading
   * @param endKnown whether there are groups up to the limit; if not, the end is where no group follows
   */
  Scan(StoredFile file, Layout.Header header, long limit, boolean endKnown) {
    this.file = file;
    this.nonce = header.nonce();
    this.limit = limit;
    this.endKnown = endKnown;
    this.lastSequence = header.sequence() - 1;
    this.lastTime = header.created();
  }

  /** The next group that can be read at least in parts; null at the end. */
  @Nullable Group next() {
    while (at < limit && !torn) {
      ByteBuffer first = read(at, Layout.PAGE);
      Head head = Layout.head(first, nonce);
      Group group;
      if (head != null && head.padded() <= limit - at) {
        int length = Layout.HEAD + head.length();
        group = group(head, length <= first.limit() ? first.limit(length) : read(at, length), true);
        if (!group.intact && !endKnown && search(at + head.padded()) < 0) {
          torn = true;
          return group;
        }
        at += head.padded();
        if (!group.intact) {
          problems.add("the group at " + group.at + " is damaged");
        }
        return group;
      }
      long next = search(at + Layout.PAGE);
      if (next < 0 && !endKnown) {
        group = headless(limit, false);
        torn = !group.changes.isEmpty() || Layout.begun(first, lastSequence + 1);
        return group.changes.isEmpty() ? null : group;
      }
      long until = next < 0 ? limit : next;
      problems.add("the group at " + at + " is damaged");
      group = headless(until, true);
      at = until;
      if (!group.changes.isEmpty()) {
        return group;
      }
    }
    return null;
  }

  /** What is left of a group whose head cannot be read. */
  private Group headless(long until, boolean everywhere) {
    int length = (int) (until - at);
    return group(new Head(length - Layout.HEAD, -1, lastSequence + 1, lastTime, Layout.beginning()), read(at, length),
        everywhere);
  }

  /** @param everywhere whether to look for records behind one that is damaged */
  private Group group(Head head, ByteBuffer bytes, boolean everywhere) {
    lastSequence = head.sequence();
    lastTime = head.time();
    List<List<Found>> changes = new ArrayList<>();
    List<Found> change = new ArrayList<>();
    boolean lost = false;
    boolean broken = false;
    int records = 0;
    int place = Layout.HEAD;
    while (place < bytes.limit()) {
      Found found = Layout.found(bytes, nonce, place);
      if (found == null) {
        broken = true;
        lost = true;
        change.clear();
        int length = place + Integer.BYTES <= bytes.limit() ? bytes.getInt(place) : 0;
        patience -= length > 0 && length < bytes.limit() - place ? length : 0;
        if (!everywhere || patience < 0) {
          break;
        }
        place++;
        continue;
      }
      place = found.at() + found.length();
      records++;
      if (found.first()) {
        lost = false;
        change.clear();
      }
      if (!lost) {
        change.add(found);
        if (!found.continued()) {
          changes.add(List.copyOf(change));
          change.clear();
        }
      }
    }
    return new Group(at, head, bytes, changes, !broken && records == head.records() && change.isEmpty()
        && bytes.limit() == Layout.HEAD + head.length());
  }

  /** The first page from here on with which a group begins; -1 if there is none. */
  private long search(long from) {
    for (long place = from; place < limit; place += AT_ONCE) {
      ByteBuffer bytes = read(place, (int) Math.min(AT_ONCE, limit - place));
      for (int page = 0; page + Layout.HEAD <= bytes.limit(); page += Layout.PAGE) {
        if (Layout.head(bytes.slice(page, Math.min(Layout.PAGE, bytes.limit() - page)), nonce) != null) {
          return place + page;
        }
      }
    }
    return -1;
  }

  /** What is there; pages that the disk does not give are zeros. */
  private ByteBuffer read(long from, int length) {
    ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(length, limit - from));
    try {
      file.read(bytes, from);
      return bytes.flip();
    } catch (IOException e) {
      byte[] pages = new byte[bytes.capacity()];
      for (int page = 0; page < pages.length; page += Layout.PAGE) {
        ByteBuffer one = ByteBuffer.wrap(pages, page, Math.min(Layout.PAGE, pages.length - page));
        try {
          file.read(one, from + page);
        } catch (IOException unreadable) {
          java.util.Arrays.fill(pages, page, Math.min(page + Layout.PAGE, pages.length), (byte) 0);
        }
      }
      return ByteBuffer.wrap(pages);
    }
  }

  /** Behind the last group that was read. */
  long at() {
    return at;
  }

  /** Whether the last group was not written as a whole; it is not among those that count. */
  boolean torn() {
    return torn;
  }

  /** What was damaged so far. */
  List<String> problems() {
    return problems;
  }
}

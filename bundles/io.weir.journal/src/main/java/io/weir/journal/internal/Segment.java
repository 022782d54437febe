package io.weir.journal.internal;

import io.weir.journal.internal.FileSystem.StoredFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One file of the journal. The writing thread alone changes what it says of itself; records are read on any thread.
 */
final class Segment {

  /**
   * What of it counts.
   *
   * @param end behind the last group
   * @param hash of everything up to there
   * @param tally of its groups
   */
  record Extent(long end, byte[] hash, Tally tally) {}

  private final String name;
  private final Layout.Header header;
  private final StoredFile file;
  private final long size;
  private volatile Extent extent;
  private volatile String problem = "";
  private volatile boolean distrusted;
  /** Records that somebody needs; the index counts them under its lock. */
  private int live;
  private long liveBytes;
  private int readers;
  private boolean retired;

  Segment(String name, Layout.Header header, StoredFile file, long size) {
    this.name = name;
    this.header = header;
    this.file = file;
    this.size = size;
    this.extent = new Extent(Layout.PAGE, header.link(), Tally.NOTHING);
  }

  String name() {
    return name;
  }

  Layout.Header header() {
    return header;
  }

  long number() {
    return header.number();
  }

  StoredFile file() {
    return file;
  }

  long size() {
    return size;
  }

  Extent extent() {
    return extent;
  }

  long end() {
    return extent.end;
  }

  void grew(Extent to) {
    extent = to;
  }

  /** What is wrong with it, for people; empty: nothing is known. */
  String problem() {
    return problem;
  }

  /** It is not to be used again, and set aside when nothing in it is needed. */
  synchronized void suspect(String why) {
    problem = problem.isEmpty() ? why : problem.contains(why) || problem.length() > 400 ? problem : problem + "; " + why;
  }

  /** What it holds is whole as far as anybody knows, but its file did not take a write. */
  void distrust() {
    distrusted = true;
  }

  boolean isSuspect() {
    return distrusted || !problem.isEmpty();
  }

  void hold(Ref ref) {
    live++;
    liveBytes += ref.bytes();
  }

  void release(Ref ref) {
    live--;
    liveBytes -= ref.bytes();
  }

  long liveBytes() {
    return liveBytes;
  }

  int live() {
    return live;
  }

  Digest digest() {
    return new Digest(number(), number(), header.link(), extent.hash, extent.tally, problem);
  }

  Fact fact(Ref ref) {
    ByteBuffer bytes = ByteBuffer.allocate(ref.bytes());
    try {
      file.read(bytes, ref.at());
    } catch (IOException e) {
      throw damaged(ref, e);
    }
    Layout.@Nullable Found found = Layout.found(bytes.flip(), header.nonce(), 0);
    if (found == null || found.length() != ref.length()) {
      throw damaged(ref, null);
    }
    return FactCodec.decode(found.type(), bytes.position(found.at()).limit(found.at() + found.length()));
  }

  private Damaged damaged(Ref ref, @Nullable Throwable cause) {
    suspect("the record at " + ref.at() + " cannot be read any more");
    return new Damaged("the record at " + ref.at() + " of " + name + " cannot be read any more", cause);
  }

  /** Keeps the file readable until the handle is closed; null if it is gone already. */
  synchronized @Nullable Closeable reading() {
    if (retired) {
      return null;
    }
    readers++;
    return this::read;
  }

  private synchronized void read() throws IOException {
    readers--;
    if (retired && readers == 0) {
      file.close();
    }
  }

  /** Nobody needs it any more. Whether nobody reads in it either, so that the file may be written anew. */
  synchronized boolean retire() throws IOException {
    retired = true;
    if (readers > 0) {
      return false;
    }
    file.close();
    return true;
  }
}

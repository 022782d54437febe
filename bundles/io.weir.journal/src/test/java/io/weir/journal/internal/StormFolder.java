package io.weir.journal.internal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/**
 * A folder in memory that may lose power at any moment: of what was written and not forced, some sectors are kept and
 * others not, in any order. It also refuses what it is told to.
 */
final class StormFolder implements FileSystem {
  static final int SECTOR = 512;

  /** The power was cut: nothing of the gateway goes on after this. */
  static final class PowerCut extends Error {
    private static final long serialVersionUID = 1L;
  }

  private static final class Bytes {
    byte[] written;
    byte[] lasting;
    final Set<Integer> unforced = new HashSet<>();

    Bytes(int size) {
      written = new byte[size];
      lasting = new byte[size];
    }
  }

  private final Map<String, Bytes> names = new TreeMap<>();
  private final Random random;
  private final Set<String> unreadable = new HashSet<>();
  private boolean locked;
  /** Operations until the power is cut; negative: it is not. */
  private int cutIn = -1;
  private int generation;
  long capacity = Long.MAX_VALUE;
  boolean readOnly;
  int failWrites;
  int failForces;
  int operations;
  int forces;

  StormFolder(long seed) {
    this.random = new Random(seed);
  }

  void cutAfter(int more) {
    cutIn = more;
  }

  /** What is left when the power is back. */
  void crash() {
    generation++;
    locked = false;
    cutIn = -1;
    for (Bytes bytes : names.values()) {
      for (int sector : bytes.unforced) {
        if (random.nextBoolean()) {
          System.arraycopy(bytes.written, sector * SECTOR, bytes.lasting, sector * SECTOR, SECTOR);
        }
      }
      bytes.unforced.clear();
      bytes.written = bytes.lasting.clone();
    }
  }

  /** The gateway is killed, the machine goes on: everything written is there. */
  void kill() {
    generation++;
    locked = false;
    cutIn = -1;
  }

  private void operate() {
    operations++;
    if (cutIn >= 0 && cutIn-- == 0) {
      throw new PowerCut();
    }
  }

  private Bytes bytes(String name) throws IOException {
    Bytes bytes = names.get(name);
    if (bytes == null) {
      throw new NoSuchFileException(name);
    }
    return bytes;
  }

  List<String> names() {
    return List.copyOf(names.keySet());
  }

  List<String> segments() {
    return names.keySet().stream().filter(name -> name.matches("journal-[0-9a-f]{16}\\.seg")).toList();
  }

  /** Changes what is on the disk behind the journal's back. */
  byte[] raw(String name) {
    return names.get(name).lasting;
  }

  void rewrite(String name, byte[] content) {
    Bytes bytes = new Bytes(content.length);
    bytes.written = content.clone();
    bytes.lasting = content.clone();
    names.put(name, bytes);
  }

  void flip(String name, int at) {
    Bytes bytes = names.get(name);
    bytes.lasting[at] ^= 0x10;
    bytes.written[at] ^= 0x10;
  }

  void denyReading(String name) {
    unreadable.add(name);
  }

  StormFolder copy() {
    StormFolder copy = new StormFolder(random.nextLong());
    names.forEach((name, bytes) -> copy.rewrite(name, bytes.lasting));
    return copy;
  }

  private void mayWrite() throws IOException {
    if (readOnly) {
      throw new AccessDeniedException("the disk is read-only");
    }
  }

  @Override
  public List<String> list() {
    return names();
  }

  @Override
  public StoredFile create(String name, long size) throws IOException {
    operate();
    mayWrite();
    if (size > room()) {
      throw new IOException("No space left on device");
    }
    names.put(name, new Bytes((int) size));
    return new Open(names.get(name));
  }

  @Override
  public StoredFile open(String name, boolean writable) throws IOException {
    if (unreadable.contains(name)) {
      throw new AccessDeniedException(name);
    }
    if (writable) {
      mayWrite();
    }
    return new Open(bytes(name));
  }

  @Override
  public void rename(String from, String to) throws IOException {
    operate();
    mayWrite();
    if (names.containsKey(to)) {
      throw new IOException(to + " is there already");
    }
    names.put(to, bytes(from));
    names.remove(from);
    operate();
  }

  @Override
  public void delete(String name) throws IOException {
    operate();
    mayWrite();
    names.remove(name);
  }

  @Override
  public long room() {
    return capacity - names.values().stream().mapToLong(bytes -> bytes.written.length).sum();
  }

  @Override
  public Closeable lock() throws IOException {
    mayWrite();
    if (locked) {
      throw new Locked("taken");
    }
    locked = true;
    return () -> locked = false;
  }

  @Override
  public String toString() {
    return "storm";
  }

  private final class Open implements StoredFile {
    private final Bytes bytes;
    private final int mine = generation;
    private boolean closed;

    Open(Bytes bytes) {
      this.bytes = bytes;
    }

    private void check() throws IOException {
      if (closed) {
        throw new IOException("the file is closed");
      }
      if (mine != generation) {
        throw new PowerCut();
      }
    }

    @Override
    public long size() {
      return bytes.written.length;
    }

    @Override
    public void read(ByteBuffer to, long position) throws IOException {
      check();
      int length = (int) Math.min(to.remaining(), bytes.written.length - position);
      to.put(bytes.written, (int) position, length);
    }

    @Override
    public void write(ByteBuffer from, long position) throws IOException {
      check();
      mayWrite();
      operate();
      if (failWrites > 0) {
        failWrites--;
        throw new IOException("Input/output error");
      }
      int at = (int) position;
      while (from.hasRemaining()) {
        int sector = at / SECTOR;
        int length = Math.min(from.remaining(), (sector + 1) * SECTOR - at);
        from.get(bytes.written, at, length);
        bytes.unforced.add(sector);
        at += length;
      }
      operate();
    }

    @Override
    public void force() throws IOException {
      check();
      operate();
      forces++;
      if (failForces > 0) {
        failForces--;
        // As Linux does: the pages are clean from now on, and whether they are on the disk nobody knows.
        for (int sector : new ArrayList<>(bytes.unforced)) {
          if (random.nextBoolean()) {
            System.arraycopy(bytes.written, sector * SECTOR, bytes.lasting, sector * SECTOR, SECTOR);
          }
        }
        bytes.unforced.clear();
        throw new IOException("Input/output error");
      }
      bytes.unforced.forEach(sector ->
          System.arraycopy(bytes.written, sector * SECTOR, bytes.lasting, sector * SECTOR, SECTOR));
      bytes.unforced.clear();
      operate();
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  /** Where pages begin that hold a group, by their magic number. */
  static List<Integer> groups(byte[] segment) {
    List<Integer> groups = new ArrayList<>();
    for (int at = Layout.PAGE; at < segment.length; at += Layout.PAGE) {
      if (Arrays.equals(segment, at, at + 4, new byte[] {'W', 'J', 'G', '1'}, 0, 4)) {
        groups.add(at);
      }
    }
    return groups;
  }

  /** A copy of everything that lasts, by name. */
  Map<String, byte[]> image() {
    Map<String, byte[]> image = new HashMap<>();
    names.forEach((name, bytes) -> image.put(name, bytes.lasting.clone()));
    return image;
  }
}

package io.weir.journal.internal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** One folder, as far as the journal needs it: the seam at which tests tear, lose and refuse writes. */
interface FileSystem {

  /** Names of the files that are there; makes the folder if it is not. */
  List<String> list() throws IOException;

  /** A new file of this many zeros, all of them on the disk, although its name may not be yet. */
  StoredFile create(String name, long size) throws IOException;

  /** @param writable false: only to read from, also where nothing may be written */
  StoredFile open(String name, boolean writable) throws IOException;

  /** Gives a file another name, which nobody may have; lasting when this returns. */
  void rename(String from, String to) throws IOException;

  /** Removes a name, lasting when this returns; who has the file open may go on reading it. */
  void delete(String name) throws IOException;

  /** Bytes that may still be given to new files. */
  long room() throws IOException;

  /** Keeps other processes out until it is closed; fails with {@link Locked} if another one does. */
  Closeable lock() throws IOException;

  /** For people: which folder it is. */
  @Override
  String toString();

  /** An open file. Reading is safe on any thread. */
  interface StoredFile extends Closeable {
    long size() throws IOException;

    /** Fills the buffer from a position on; fewer bytes only at the end of the file. */
    void read(ByteBuffer to, long position) throws IOException;

    void write(ByteBuffer from, long position) throws IOException;

    /** What was written is on the disk when this returns; if it throws, nobody knows what is. */
    void force() throws IOException;
  }

  /** Another process has the folder. */
  final class Locked extends IOException {
    private static final long serialVersionUID = 1L;

    Locked(String message) {
      super(message);
    }
  }
}

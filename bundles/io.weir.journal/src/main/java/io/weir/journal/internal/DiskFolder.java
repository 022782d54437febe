package io.weir.journal.internal;

import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A folder on a disk. Its files are for the gateway's user only: they hold what sensors said. */
final class DiskFolder implements FileSystem {
  private static final String LOCK = "lock";
  private static final int ZEROS = 64 << 10;

  private final Path folder;

  DiskFolder(Path folder) {
    this.folder = folder;
  }

  @Override
  public List<String> list() throws IOException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      syncFolder(folder.toAbsolutePath().getParent());
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Override
  public StoredFile create(String name, long size) throws IOException {
    Path file = folder.resolve(name);
    FileChannel channel = FileChannel.open(file, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ,
        StandardOpenOption.WRITE), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS);
      for (long at = 0; at < size; at += ZEROS) {
        write(channel, zeros.clear().limit((int) Math.min(ZEROS, size - at)), at);
      }
      channel.force(true);
      return new Disk(new RandomAccessFile(file.toFile(), "r"), channel);
    } catch (IOException e) {
      channel.close();
      Files.deleteIfExists(file);
      throw e;
    }
  }

  @Override
  public StoredFile open(String name, boolean writable) throws IOException {
    RandomAccessFile reader = new RandomAccessFile(folder.resolve(name).toFile(), "r");
    try {
      return new Disk(reader, writable ? FileChannel.open(folder.resolve(name), StandardOpenOption.WRITE) : null);
    } catch (IOException e) {
      reader.close();
      throw e;
    }
  }

  @Override
  public void rename(String from, String to) throws IOException {
    if (Files.exists(folder.resolve(to))) {
      throw new IOException(folder.resolve(to) + " is there already");
    }
    Files.move(folder.resolve(from), folder.resolve(to), StandardCopyOption.ATOMIC_MOVE);
    syncFolder(folder);
  }

  @Override
  public void delete(String name) throws IOException {
    Files.deleteIfExists(folder.resolve(name));
    syncFolder(folder);
  }

  @Override
  public long room() throws IOException {
    return Files.getFileStore(folder).getUsableSpace();
  }

  @Override
  public Closeable lock() throws IOException {
    FileChannel channel =
        FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // This very process has it.
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    channel.close();
    throw new Locked("another gateway uses " + folder);
  }

  private static void syncFolder(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public String toString() {
    return folder.toString();
  }

  /**
   * Reads by {@link RandomAccessFile}, since a thread that is interrupted while it reads from a channel closes that for
   * everybody.
   */
  private record Disk(RandomAccessFile reader, @Nullable FileChannel channel) implements StoredFile {
    @Override
    public long size() throws IOException {
      return reader.length();
    }

    @Override
    public void read(ByteBuffer to, long position) throws IOException {
      synchronized (reader) {
        reader.seek(position);
        while (to.hasRemaining()) {
          int read = reader.read(to.array(), to.arrayOffset() + to.position(), to.remaining());
          if (read < 0) {
            return;
          }
          to.position(to.position() + read);
        }
      }
    }

    @Override
    public void write(ByteBuffer from, long position) throws IOException {
      if (channel == null) {
        throw new NonWritableChannelException();
      }
      DiskFolder.write(channel, from, position);
    }

    /** Size and place of the file were forced when it was made. */
    @Override
    public void force() throws IOException {
      if (channel == null) {
        reader.getFD().sync();
      } else {
        channel.force(false);
      }
    }

    @Override
    public void close() throws IOException {
      try {
        reader.close();
      } finally {
        if (channel != null) {
          channel.close();
        }
      }
    }
  }

  private static void write(FileChannel channel, ByteBuffer from, long position) throws IOException {
    long at = position;
    while (from.hasRemaining()) {
      at += channel.write(from, at);
    }
  }
}

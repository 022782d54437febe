package io.weir.cli.image;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * Tar archives as images want them: sorted, owned by root, without set-id bits and devices. Modes are made readable for
 * everybody, because a function runs as a user that owns nothing.
 */
final class Tars implements AutoCloseable {
  private static final FileTime EPOCH = FileTime.fromMillis(0);

  private final TarArchiveOutputStream tar;
  private LongConsumer written = n -> {};

  Tars(OutputStream out) {
    tar = new TarArchiveOutputStream(out, "UTF-8");
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
    tar.setAddPaxHeadersForNonAsciiNames(true);
  }

  Tars onWritten(LongConsumer listener) {
    written = listener;
    return this;
  }

  void folder(String name, int mode) throws IOException {
    var entry = new TarArchiveEntry(name.endsWith("/") ? name : name + "/");
    put(entry, mode, EPOCH);
    tar.closeArchiveEntry();
  }

  void file(String name, byte[] content, int mode) throws IOException {
    var entry = new TarArchiveEntry(name);
    entry.setSize(content.length);
    put(entry, mode, EPOCH);
    tar.write(content);
    tar.closeArchiveEntry();
  }

  /** Everything below {@code root} that {@code keep} accepts, under the given prefix. Links stay links. */
  void tree(Path root, String prefix, Predicate<Path> keep) throws IOException {
    List<Path> children;
    try (Stream<Path> listed = Files.list(root)) {
      children = listed.filter(keep).sorted().toList();
    }
    for (Path child : children) {
      String name = prefix + child.getFileName();
      if (Files.isSymbolicLink(child)) {
        var entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
        entry.setLinkName(Files.readSymbolicLink(child).toString());
        put(entry, 0777, modified(child));
        tar.closeArchiveEntry();
      } else if (Files.isDirectory(child)) {
        var entry = new TarArchiveEntry(name + "/");
        put(entry, mode(child) & 01777 | 0555, modified(child));
        tar.closeArchiveEntry();
        tree(child, name + "/", keep);
      } else if (Files.isRegularFile(child)) {
        copy(child, name);
      }
    }
  }

  void copy(Path file, String name) throws IOException {
    var entry = new TarArchiveEntry(name);
    entry.setSize(Files.size(file));
    int mode = mode(file);
    put(entry, mode & 0777 | 0444 | ((mode & 0111) != 0 ? 0111 : 0), modified(file));
    Files.copy(file, tar);
    tar.closeArchiveEntry();
    written.accept(entry.getSize());
  }

  private void put(TarArchiveEntry entry, int mode, FileTime modified) throws IOException {
    entry.setMode(mode);
    entry.setIds(0, 0);
    entry.setUserName("");
    entry.setGroupName("");
    entry.setLastModifiedTime(modified);
    tar.putArchiveEntry(entry);
  }

  /** Whole seconds: a fraction would cost a second header per file. */
  private static FileTime modified(Path file) throws IOException {
    long millis = Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS).toMillis();
    return FileTime.fromMillis(Math.max(0, millis / 1000 * 1000));
  }

  private static int mode(Path file) throws IOException {
    return ((Integer) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS)) & 07777;
  }

  @Override
  public void close() throws IOException {
    tar.close();
  }
}

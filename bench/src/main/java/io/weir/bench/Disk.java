package io.weir.bench;

import io.weir.itest.Gateway;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** A small disk for a journal, which can be filled, and whose last bytes can be damaged as a power cut does it. */
final class Disk implements AutoCloseable {
  private static final int PAGE = 4096;
  private static final int GROUP_HEAD = 64;
  private static final int GROUP = 0x574A4731;
  private static final byte[] BALLAST = new byte[1 << 16];

  private final Path folder;
  private final Path ballast;

  /** Mounts it there. */
  Disk(Path folder) throws Exception {
    this.folder = Files.createDirectories(folder);
    this.ballast = folder.resolve("ballast");
    Gateway.exec("mount", "-t", "tmpfs", "-o", "size=56m,mode=700", "weir-bench", folder.toString());
  }

  Path journal() throws IOException {
    return folder.resolve("journal");
  }

  /** Leaves no room at all. */
  void fill() throws IOException {
    try (OutputStream out = Files.newOutputStream(ballast)) {
      for (int size = BALLAST.length; size > 0; size /= 2) {
        fill(out, size);
      }
    }
  }

  private static void fill(OutputStream out, int size) {
    try {
      while (true) {
        out.write(BALLAST, 0, size);
      }
    } catch (IOException full) {
      return;   // that is what was wanted
    }
  }

  void free() throws IOException {
    Files.deleteIfExists(ballast);
  }

  /** Damages what is behind the last whole group of a journal that nobody uses now, and says how. */
  String damage(Random random) throws IOException {
    List<Path> segments;
    try (Stream<Path> files = Files.list(journal())) {
      segments = files.filter(file -> file.getFileName().toString().matches("journal-[0-9a-f]{16}\\.seg")).sorted().toList();
    }
    if (segments.isEmpty()) {
      return "no segment";
    }
    try (RandomAccessFile file = new RandomAccessFile(segments.get(segments.size() - 1).toFile(), "rw")) {
      long last = PAGE;
      long end = PAGE;
      for (int length = group(file, end); length > 0; length = group(file, end)) {
        last = end;
        end += (GROUP_HEAD + length + PAGE - 1) / PAGE * PAGE;
      }
      if (end >= file.length()) {
        return "nothing, the last segment is full";
      }
      switch (random.nextInt(3)) {
        case 0 -> {
          file.setLength(end + random.nextInt(2) * random.nextInt((int) Math.min(PAGE, file.length() - end)));
          return "cut off";
        }
        case 1 -> {
          byte[] bytes = new byte[1 + random.nextInt((int) Math.min(3 * PAGE, file.length() - end))];
          random.nextBytes(bytes);
          file.seek(end);
          file.write(bytes);
          return bytes.length + " random bytes behind it";
        }
        default -> {
          // Not a whole one, padding apart: nothing but the journal writes that.
          byte[] bytes = new byte[(int) Math.min((GROUP_HEAD + Math.max(0, group(file, last))) / 2, file.length() - end)];
          file.seek(last);
          file.readFully(bytes);
          file.seek(end);
          file.write(bytes);
          return "half of the last group again behind it";
        }
      }
    }
  }

  private static int group(RandomAccessFile file, long at) throws IOException {
    if (at + GROUP_HEAD > file.length()) {
      return 0;
    }
    file.seek(at);
    int magic = file.readInt();
    file.readInt();
    return magic == GROUP ? file.readInt() : 0;
  }

  @Override
  public void close() throws Exception {
    Gateway.exec("umount", folder.toString());
  }
}

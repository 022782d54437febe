package io.weir.forecast.internal;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.function.Supplier;
import java.util.zip.CRC32;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was learned, in a file: {@value #MAGIC} as 8 bytes, the version as 2, then what
 * {@link Forecasts#write} writes, then its CRC-32 as 4; big-endian. Replaced as a whole, so it is never torn
 * by us.
 */
final class StateFile {
  private static final Logger LOG = LoggerFactory.getLogger(StateFile.class);
  static final long MAGIC = 0x5745495246435354L;
  /** Every change of what is written gets a new one; there is no reading of others, learning starts anew. */
  static final short VERSION = 3;
  private static final int HEADER = 10;
  private static final int CHECK = 4;

  private final Path file;

  StateFile(Path file) {
    this.file = file;
  }

  /**
   * What the file holds; new ones if there is none. One that is damaged, or of another version, is set aside.
   */
  Forecasts load(Supplier<Forecasts> empty) {
    Forecasts forecasts = empty.get();
    try {
      byte[] all = Files.readAllBytes(file);
      if (all.length < HEADER + CHECK || ByteBuffer.wrap(all).getLong() != MAGIC) {
        throw new IOException("it is no state of forecasts");
      }
      if (ByteBuffer.wrap(all).getShort(8) != VERSION) {
        throw new IOException("it is of version " + ByteBuffer.wrap(all).getShort(8) + ", not " + VERSION);
      }
      int length = all.length - HEADER - CHECK;
      if (check(all, length) != ByteBuffer.wrap(all).getInt(HEADER + length)) {
        throw new IOException("its checksum is wrong");
      }
      forecasts.read(new DataInputStream(new ByteArrayInputStream(all, HEADER, length)));
      return forecasts;
    } catch (NoSuchFileException e) {
      return forecasts;
    } catch (IOException | RuntimeException e) {
      setAside(e);
      return empty.get();
    }
  }

  private static int check(byte[] all, int length) {
    CRC32 crc = new CRC32();
    crc.update(all, HEADER, length);
    return (int) crc.getValue();
  }

  private void setAside(Exception why) {
    Path aside = file.resolveSibling(file.getFileName() + ".damaged");
    try {
      Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
      LOG.warn("cannot read {}; set aside as {}, arrivals are learned anew: {}", file, aside.getFileName(),
          why.getMessage());
    } catch (IOException e) {
      LOG.warn("cannot read {}, arrivals are learned anew: {}", file, why.getMessage());
    }
  }

  void save(Forecasts forecasts) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeLong(MAGIC);
    out.writeShort(VERSION);
    forecasts.write(out);
    byte[] written = bytes.toByteArray();
    out.writeInt(check(written, written.length - HEADER));
    Files.createDirectories(file.toAbsolutePath().getParent());
    Path next = file.resolveSibling(file.getFileName() + ".next");
    try (FileChannel channel = FileChannel.open(next, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
        StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer all = ByteBuffer.wrap(bytes.toByteArray());
      while (all.hasRemaining()) {
        channel.write(all);
      }
      channel.force(true);
    }
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}

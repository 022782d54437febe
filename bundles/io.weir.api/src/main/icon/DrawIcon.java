import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/** Draws Weir's icon, so that no picture has to be kept in the sources: water that falls over a wall. */
public final class DrawIcon {
  private static final int SIZE = 32;
  private static final int CLEAR = 0;
  private static final int WATER = 0xff2f80c0;
  private static final int DEEP = 0xff1c5080;
  private static final int WALL = 0xff5a6470;

  private DrawIcon() {}

  /** Writes the picture to the file that is named, unless it is there. */
  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]);
    if (!Files.exists(file)) {
      Files.createDirectories(file.getParent());
      Files.write(file, png());
    }
  }

  private static int pixel(int x, int y) {
    boolean wall = x >= 14 && x <= 18 && y >= 13 && y <= 29;
    int wave = (x / 3) % 2;
    if (x < 14 && y >= 10 + wave && y <= 29) {
      return y < 16 ? WATER : DEEP;
    } else if (wall) {
      return WALL;
    } else if (x >= 13 && x <= 19 && y >= 10 && y < 13 || x > 18 && x <= 21 && y >= 10 + (x - 19) && y <= 24) {
      return WATER;
    }
    return x > 18 && y >= 23 + wave && y <= 29 ? WATER : CLEAR;
  }

  private static byte[] png() throws IOException {
    ByteArrayOutputStream pixels = new ByteArrayOutputStream();
    // Stored, not compressed: the same bytes whatever zlib the JDK has.
    try (DataOutputStream lines = new DataOutputStream(
        new DeflaterOutputStream(pixels, new Deflater(Deflater.NO_COMPRESSION)))) {
      for (int y = 0; y < SIZE; y++) {
        lines.writeByte(0);
        for (int x = 0; x < SIZE; x++) {
          int argb = pixel(x, y);
          lines.writeInt(argb << 8 | argb >>> 24);
        }
      }
    }
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    DataOutputStream header = new DataOutputStream(head);
    header.writeInt(SIZE);
    header.writeInt(SIZE);
    header.write(new byte[] {8, 6, 0, 0, 0});
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(png);
    out.writeLong(0x89504e470d0a1a0aL);
    chunk(out, "IHDR", head.toByteArray());
    chunk(out, "IDAT", pixels.toByteArray());
    chunk(out, "IEND", new byte[0]);
    return png.toByteArray();
  }

  private static void chunk(DataOutputStream out, String type, byte[] data) throws IOException {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data);
    out.writeInt(data.length);
    out.write(name);
    out.write(data);
    out.writeInt((int) crc.getValue());
  }
}

package io.weir.weirpkg;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/** Writes packages; the same contents become the same bytes. */
public final class PackageWriter {
  private PackageWriter() {}

  /** Where the files of a package come from. */
  public interface Source {
    /** Has as many bytes as the manifest says. */
    InputStream open(Manifest.File file) throws IOException;
  }

  /**
   * Writes a package, and leaves the stream open.
   *
   * @param signature of the manifest's bytes
   */
  public static void write(Manifest manifest, Optional<byte[]> signature, Source source, OutputStream to) throws IOException {
    GZIPOutputStream out = new GZIPOutputStream(to, 64 << 10);
    entry(Manifest.ENTRY, manifest.bytes(), out);
    if (signature.isPresent()) {
      entry(Manifest.SIGNATURE_ENTRY, signature.get(), out);
    }
    for (Manifest.File file : manifest.files()) {
      out.write(new TarHeader(file.name(), file.size(), '0').bytes());
      long written;
      try (InputStream in = source.open(file)) {
        written = in.transferTo(out);
      }
      if (written != file.size()) {
        throw new IOException(file.name() + " changed while the package was written");
      }
      pad(file.size(), out);
    }
    out.write(new byte[2 * TarHeader.BLOCK]);
    out.finish();
  }

  private static void entry(String name, byte[] contents, OutputStream out) throws IOException {
    out.write(new TarHeader(name, contents.length, '0').bytes());
    out.write(contents);
    pad(contents.length, out);
  }

  private static void pad(long size, OutputStream out) throws IOException {
    out.write(new byte[(int) ((TarHeader.BLOCK - size % TarHeader.BLOCK) % TarHeader.BLOCK)]);
  }
}

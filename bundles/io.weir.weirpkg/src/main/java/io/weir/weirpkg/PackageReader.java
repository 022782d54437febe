package io.weir.weirpkg;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/**
 * Reads a package once, from beginning to end, and believes nothing in it: never more is read than the manifest announces,
 * nothing is announced beyond the limits, and every byte is checked against its digest. Not thread-safe.
 */
public final class PackageReader {
  private static final int CHUNK = 64 << 10;
  /** Programs that write tar archives fill them up with zeros, to a multiple of some size. */
  private static final int MOST_PADDING = 1 << 20;

  private final InputStream in;
  private final byte[] manifestBytes;
  private final Manifest manifest;
  private final byte @Nullable [] signature;
  private @Nullable TarHeader ahead;

  /** Where the files of a package go. */
  public interface Sink {
    /** Called once for each file, in the manifest's order. The stream is closed before the next one is asked for. */
    OutputStream open(Manifest.File file) throws IOException;
  }

  /**
   * Reads the manifest and its signature.
   *
   * @throws PackageFault if there is none, or it announces what is not allowed
   */
  public PackageReader(InputStream from, Limits limits) throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(from, CHUNK);
    buffered.mark(2);
    boolean zipped = buffered.read() == 0x1f && buffered.read() == 0x8b;
    buffered.reset();
    try {
      this.in = zipped ? new GZIPInputStream(buffered, CHUNK) : buffered;
      TarHeader first = header();
      if (first == null || !first.name().equals(Manifest.ENTRY) || !first.isFile()) {
        throw PackageFault.malformed("this is no function package: its first entry is not '" + Manifest.ENTRY + "'");
      }
      if (first.size() > Limits.MANIFEST_BYTES) {
        throw new PackageFault(PackageFault.Kind.TOO_LARGE, "the manifest is larger than " + Limits.MANIFEST_BYTES + " bytes");
      }
      this.manifestBytes = contents(first);
      this.manifest = Manifest.of(manifestBytes);
      if (manifest.totalBytes() > limits.totalBytes()) {
        throw new PackageFault(PackageFault.Kind.TOO_LARGE, "the package holds " + manifest.totalBytes()
            + " bytes, and no more than " + limits.totalBytes() + " are taken");
      }
      this.ahead = header();
      this.signature = readSignature();
    } catch (EOFException | ZipException e) {
      throw broken(e);
    }
  }

  public Manifest manifest() {
    return manifest;
  }

  /** What is signed. */
  public byte[] manifestBytes() {
    return manifestBytes.clone();
  }

  /** Whether somebody signed it; who, {@link TrustedKeys} can tell. */
  public Optional<byte[]> signature() {
    return Optional.ofNullable(signature).map(byte[]::clone);
  }

  /**
   * Reads everything that is left.
   *
   * @throws PackageFault if anything is not as the manifest says; then nothing that came may be used
   * @throws IOException if the package cannot be read, or the sink cannot write
   */
  public void readFiles(Sink sink) throws IOException {
    try {
      for (Manifest.File file : manifest.files()) {
        TarHeader header = ahead;
        if (header == null || !header.name().equals(file.name()) || !header.isFile() || header.size() != file.size()) {
          throw PackageFault.malformed("the package must hold " + file.name() + " with " + file.size() + " bytes here, but "
              + (header == null ? "ends" : "has '" + Manifest.shown(header.name()) + "' with " + header.size()));
        }
        read(file, sink);
        ahead = header();
      }
      requireEnd();
    } catch (EOFException | ZipException e) {
      throw broken(e);
    }
  }

  private static PackageFault broken(IOException cause) {
    return new PackageFault(PackageFault.Kind.MALFORMED, "the package is incomplete or damaged ("
        + (cause instanceof EOFException ? "it ends too early" : cause.getMessage()) + "); send it again", cause);
  }

  private byte @Nullable [] readSignature() throws IOException {
    TarHeader header = ahead;
    if (header == null || !header.name().equals(Manifest.SIGNATURE_ENTRY)) {
      return null;
    }
    if (!header.isFile() || header.size() != Signing.SIGNATURE_BYTES) {
      throw PackageFault.malformed("the signature must be a file of " + Signing.SIGNATURE_BYTES + " bytes (Ed25519)");
    }
    byte[] bytes = contents(header);
    ahead = header();
    return bytes;
  }

  private void read(Manifest.File file, Sink sink) throws IOException {
    MessageDigest digest = Signing.sha256();
    try (OutputStream out = new DigestOutputStream(sink.open(file), digest)) {
      copy(file.size(), out);
    }
    if (!HexFormat.of().formatHex(digest.digest()).equals(file.sha256())) {
      throw PackageFault.malformed(file.name() + " is not what the manifest says: its SHA-256 differs; the package was changed "
          + "or damaged on its way");
    }
    skipPadding(file.size());
  }

  private void copy(long size, OutputStream out) throws IOException {
    byte[] chunk = new byte[CHUNK];
    for (long left = size; left > 0;) {
      int read = in.read(chunk, 0, (int) Math.min(chunk.length, left));
      if (read < 0) {
        throw new EOFException();
      }
      out.write(chunk, 0, read);
      left -= read;
    }
  }

  private byte[] contents(TarHeader header) throws IOException {
    byte[] bytes = exactly((int) header.size());
    skipPadding(header.size());
    return bytes;
  }

  private void skipPadding(long size) throws IOException {
    exactly((int) ((TarHeader.BLOCK - size % TarHeader.BLOCK) % TarHeader.BLOCK));
  }

  private byte[] exactly(int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException();
    }
    return bytes;
  }

  /** The next header; null at the end. */
  private @Nullable TarHeader header() throws IOException {
    byte[] block = exactly(TarHeader.BLOCK);
    return TarHeader.isEnd(block) ? null : TarHeader.of(block);
  }

  private void requireEnd() throws IOException {
    if (ahead != null) {
      throw PackageFault.malformed("the package holds '" + Manifest.shown(ahead.name()) + "', which the manifest does not name");
    }
    byte[] rest = in.readNBytes(MOST_PADDING + 1);
    if (rest.length < TarHeader.BLOCK) {
      throw new EOFException();
    }
    if (rest.length > MOST_PADDING || !TarHeader.isEnd(rest)) {
      throw PackageFault.malformed("there is something behind the end of the package");
    }
  }
}

package io.weir.weirpkg;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.Map;
import java.util.TreeMap;

/**
 * Whose packages are taken: a folder of public keys, {@code NAME.pem} or {@code NAME.pub}. With a key in it, everything has
 * to be signed by one of them; a key that cannot be read is no key less, it stops everything.
 */
public final class TrustedKeys {
  private static final int MOST = 64;
  private static final int LARGEST = 16 << 10;

  private final Map<String, PublicKey> keys;

  private TrustedKeys(Map<String, PublicKey> keys) {
    this.keys = keys;
  }

  /**
   * Reads the folder as it is now.
   *
   * @param mayBeMissing whether no folder means no keys
   * @throws PackageFault if the folder or a key cannot be read
   */
  public static TrustedKeys in(Path folder, boolean mayBeMissing) {
    Map<String, PublicKey> keys = new TreeMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.{pem,pub}")) {
      for (Path file : files) {
        keys.put(file.getFileName().toString(), read(file));
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      if (!mayBeMissing || Files.exists(folder)) {
        throw closed("there is no folder of trusted keys at " + folder + "; make it, or change trust.folder", e);
      }
    } catch (IOException e) {
      throw closed("the trusted keys in " + folder + " cannot be read (" + e + ")", e);
    }
    if (keys.size() > MOST) {
      throw closed("there are more than " + MOST + " keys in " + folder + "; remove those that sign nothing any more", null);
    }
    return new TrustedKeys(keys);
  }

  /**
   * One key alone.
   *
   * @throws PackageFault if it cannot be read
   */
  public static TrustedKeys of(Path file) {
    try {
      return new TrustedKeys(Map.of(file.getFileName().toString(), read(file)));
    } catch (IOException e) {
      throw closed("the key " + file + " cannot be read (" + e + ")", e);
    }
  }

  private static PublicKey read(Path file) throws IOException {
    if (Files.size(file) > LARGEST) {
      throw closed(file + " is too large for a public key; remove it", null);
    }
    try {
      return Signing.publicKey(Files.readString(file, StandardCharsets.ISO_8859_1));
    } catch (IllegalArgumentException e) {
      throw closed("the trusted key " + file + " cannot be used: " + e.getMessage(), e);
    }
  }

  private static PackageFault closed(String why, @org.jspecify.annotations.Nullable Throwable cause) {
    return new PackageFault(PackageFault.Kind.UNTRUSTED, why + "; until then no package is taken", cause);
  }

  /** Whether nobody is trusted in particular, so that everybody is. */
  public boolean isEmpty() {
    return keys.isEmpty();
  }

  /**
   * Whose signature the package bears.
   *
   * @return the file name of the key; empty if there are no keys
   * @throws PackageFault if there are keys, and it bears no signature by one of them
   */
  public String signer(PackageReader reader) {
    if (keys.isEmpty()) {
      return "";
    }
    byte[] signature = reader.signature().orElseThrow(() -> new PackageFault(PackageFault.Kind.UNSIGNED, "package "
        + reader.manifest().name() + " " + reader.manifest().version() + " is not signed, and this gateway takes only what one of "
        + keys.keySet() + " signed; sign it with 'weir package sign'"));
    return keys.entrySet().stream().filter(key -> Signing.verifies(reader.manifestBytes(), signature, key.getValue()))
        .map(Map.Entry::getKey).findFirst().orElseThrow(() -> new PackageFault(PackageFault.Kind.UNTRUSTED, "package "
            + reader.manifest().name() + " " + reader.manifest().version() + " bears no signature by one of " + keys.keySet()
            + ": somebody else signed it, or it was changed since"));
  }
}

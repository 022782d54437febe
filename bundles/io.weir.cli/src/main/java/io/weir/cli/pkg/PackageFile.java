package io.weir.cli.pkg;

import io.weir.weirpkg.Limits;
import io.weir.weirpkg.Manifest;
import io.weir.weirpkg.PackageReader;
import io.weir.weirpkg.PackageWriter;
import io.weir.weirpkg.Signing;
import io.weir.weirpkg.TrustedKeys;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.PrivateKey;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A package that lies on this machine. */
public final class PackageFile {
  private PackageFile() {}

  /**
   * What was found.
   *
   * @param signer file name of the key; empty if nobody was to be looked for
   */
  public record Checked(Manifest manifest, boolean signed, String signer) {}

  /** @throws io.weir.weirpkg.PackageFault if anything is wrong with it, or none of the keys signed it */
  public static Checked check(Path file, Optional<TrustedKeys> keys) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      PackageReader reader = new PackageReader(in, Limits.NONE);
      String signer = keys.map(trusted -> trusted.signer(reader)).orElse("");
      reader.readFiles(entry -> OutputStream.nullOutputStream());
      return new Checked(reader.manifest(), reader.signature().isPresent(), signer);
    }
  }

  /** Signs what is right with every byte of it; what was there is replaced at once or not at all. */
  public static Manifest sign(Path file, PrivateKey key, Path to) throws IOException {
    Path folder = Files.createTempDirectory("weir-package");
    try (InputStream in = Files.newInputStream(file)) {
      PackageReader reader = new PackageReader(in, Limits.NONE);
      Manifest manifest = reader.manifest();
      List<Manifest.File> files = manifest.files();
      reader.readFiles(entry -> Files.newOutputStream(folder.resolve(Integer.toString(files.indexOf(entry)))));
      write(manifest, Optional.of(Signing.sign(manifest.bytes(), key)),
          entry -> Files.newInputStream(folder.resolve(Integer.toString(files.indexOf(entry)))), to);
      return manifest;
    } finally {
      delete(folder);
    }
  }

  static void write(Manifest manifest, Optional<byte[]> signature, PackageWriter.Source source, Path to) throws IOException {
    Path next = to.resolveSibling(to.getFileName() + ".next");
    try {
      try (OutputStream out = Files.newOutputStream(next)) {
        PackageWriter.write(manifest, signature, source, out);
      }
      Files.move(next, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(next);
    }
  }

  static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}

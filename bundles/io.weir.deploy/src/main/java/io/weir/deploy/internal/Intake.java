package io.weir.deploy.internal;

import io.weir.deployment.Refused;
import io.weir.weirpkg.Limits;
import io.weir.weirpkg.Manifest;
import io.weir.weirpkg.PackageFault;
import io.weir.weirpkg.PackageReader;
import io.weir.weirpkg.TrustedKeys;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Brings packages onto the disk, and checks them on the way: who signed it, for what machine it is and whether there is room,
 * before anything but the manifest is read; each file's digest while it is.
 */
final class Intake {
  /** Beside the package itself and its images once more, in Podman's storage. */
  private static final long SPARE_BYTES = 64L << 20;

  private final Settings settings;
  private final String architecture;

  /** @param architecture of this machine, as container images spell it */
  Intake(Settings settings, String architecture) {
    this.settings = settings;
    this.architecture = architecture;
  }

  static String thisMachine() {
    String arch = System.getProperty("os.arch", "");
    return switch (arch) {
      case "x86_64" -> "amd64";
      case "aarch64" -> "arm64";
      case "x86", "i386", "i486", "i586", "i686" -> "386";
      default -> arch.startsWith("arm") ? "arm" : arch;
    };
  }

  private Path incoming() {
    return settings.books().resolve("incoming");
  }

  /** What an earlier life of the gateway was about to install. */
  void clear() {
    Staged.delete(incoming());
  }

  /**
   * @throws Refused if the package is not what it must be; nothing of it is left on the disk then
   * @throws IOException if it cannot be read
   */
  Staged take(InputStream from, String id) throws IOException {
    Path folder = incoming().resolve(id);
    boolean taken = false;
    try {
      PackageReader reader = new PackageReader(from, new Limits(settings.maxBytes()));
      String signer = TrustedKeys.in(settings.trust(), settings.trustMayBeMissing()).signer(reader);
      Manifest manifest = reader.manifest();
      requireThisMachine(manifest);
      prepare(folder);
      requireRoom(manifest);
      reader.readFiles(file -> new OntoDisk(Staged.place(folder, manifest, file)));
      taken = true;
      return new Staged(folder, manifest, signer);
    } catch (PackageFault e) {
      throw new Refused(code(e), String.valueOf(e.getMessage()), e);
    } finally {
      if (!taken) {
        Staged.delete(folder);
      }
    }
  }

  private static void prepare(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw disk(folder, e);
    }
  }

  private static Refused disk(Path file, IOException cause) {
    return new Refused(Refused.Code.NO_SPACE, "the package cannot be written to " + file + " (" + cause
        + "); look at the disk of the gateway's data folder", cause);
  }

  /** Tells a disk that does not take the package from a sender who breaks off. */
  private static final class OntoDisk extends OutputStream {
    private final Path file;
    private final OutputStream out;

    OntoDisk(Path file) {
      this.file = file;
      try {
        this.out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      } catch (IOException e) {
        throw disk(file, e);
      }
    }

    @Override
    public void write(int one) {
      write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        throw disk(file, e);
      }
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }

  static Refused.Code code(PackageFault fault) {
    return switch (fault.kind()) {
      case MALFORMED -> Refused.Code.BAD_PACKAGE;
      case TOO_LARGE -> Refused.Code.PACKAGE_TOO_LARGE;
      case UNSIGNED -> Refused.Code.UNSIGNED;
      case UNTRUSTED -> Refused.Code.UNTRUSTED;
      case ARCHITECTURE -> Refused.Code.WRONG_ARCHITECTURE;
    };
  }

  private void requireThisMachine(Manifest manifest) {
    Optional<String> wanted = manifest.architecture();
    if (wanted.isPresent() && !wanted.get().equals(architecture)) {
      throw new PackageFault(PackageFault.Kind.ARCHITECTURE, "package " + manifest.name() + " " + manifest.version()
          + " holds images for " + wanted.get() + ", and this gateway is " + architecture + "; build its images for "
          + architecture + ", and the package from those");
    }
  }

  private void requireRoom(Manifest manifest) throws IOException {
    long images = manifest.files().stream().filter(Manifest.File::isImage).mapToLong(Manifest.File::size).sum();
    long needed = manifest.totalBytes() + images + SPARE_BYTES;
    long free = Files.getFileStore(settings.books()).getUsableSpace();
    if (free < needed) {
      throw new Refused(Refused.Code.NO_SPACE, "package " + manifest.name() + " " + manifest.version() + " needs "
          + (needed >> 20) + " MiB on the disk of " + settings.books() + ", and " + (free >> 20) + " MiB are free; remove "
          + "packages or images that nobody needs", null);
    }
  }
}

package io.weir.kernel.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/** The library and the programs, taken out of the bundle into files, which is how the linker and the kernel want them. */
final class NativeFiles {
  private final Path folder;
  private final String resources;

  /**
   * @param folder where files may be executed
   * @param resources where they are in the bundle
   */
  NativeFiles(Path folder, String resources) {
    this.folder = folder;
    this.resources = resources;
  }

  /** @throws LinkageError if it is not there for this machine, or cannot be loaded */
  Ebpf open() {
    String machine = machine();
    Path library = copy("lib/" + machine + "/libweir_ebpf.so").orElseThrow(
        () -> new UnsatisfiedLinkError("this build has no library for " + machine));
    // JNA reads it when its first class is loaded; else it would unpack its own part into the home directory.
    if (System.getProperty("jna.tmpdir") == null) {
      System.setProperty("jna.tmpdir", folder.toString());
    }
    return Ebpf.open(library);
  }

  /** The object file of this name; empty if this build has none. */
  Optional<Path> object(String name) {
    return copy("bpf/" + name + ".bpf.o");
  }

  private Optional<Path> copy(String name) {
    Path file = folder.resolve(name.substring(name.lastIndexOf('/') + 1));
    try (InputStream in = NativeFiles.class.getResourceAsStream(resources + name)) {
      if (in == null) {
        return Optional.empty();
      }
      Files.createDirectories(folder);
      // A library that a process has mapped must not change under it.
      Path draft = folder.resolve(file.getFileName() + ".new");
      Files.copy(in, draft, StandardCopyOption.REPLACE_EXISTING);
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return Optional.of(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }

  private static String machine() {
    return switch (System.getProperty("os.arch")) {
      case "amd64", "x86_64" -> "amd64";
      case "aarch64" -> "arm64";
      case "arm" -> "armhf";
      default -> System.getProperty("os.arch");
    };
  }
}

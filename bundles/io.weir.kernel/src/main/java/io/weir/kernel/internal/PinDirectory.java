package io.weir.kernel.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where everything that stays in the kernel is pinned, so that a gateway that was killed finds it again. */
final class PinDirectory {
  private static final Logger LOG = LoggerFactory.getLogger(PinDirectory.class);
  private static final Path USUAL = Path.of("/sys/fs/bpf");
  private static final String LINK = "link-";

  private final Ebpf ebpf;
  private final Path path;
  private final Optional<Path> ownMount;

  /**
   * Made if it is not there.
   *
   * @param run the gateway's own, for a bpffs where the machine has none
   */
  PinDirectory(Ebpf ebpf, Path run, String name) {
    this.ebpf = ebpf;
    this.ownMount = Mounts.isMounted(USUAL, "bpf") ? Optional.empty() : Optional.of(run.resolve("bpf"));
    ownMount.ifPresent(ebpf::mount);
    this.path = ownMount.orElse(USUAL).resolve(name);
    try {
      Files.createDirectories(path);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make " + path + ", where programs are pinned", e);
    }
  }

  Path path() {
    return path;
  }

  /** Names of the links that are there. */
  List<String> links() {
    return files().stream().map(file -> file.getFileName().toString()).filter(name -> name.startsWith(LINK))
        .map(name -> name.substring(LINK.length())).toList();
  }

  private List<Path> files() {
    try (Stream<Path> files = Files.list(path)) {
      return files.toList();
    } catch (IOException | UncheckedIOException e) {
      LOG.debug("cannot list {}", path, e);
      return List.of();
    }
  }

  /** Unpins all that is in it; what no process holds open is gone then. */
  void clear() {
    links().forEach(this::detach);
    for (Path file : files()) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        LOG.warn("cannot unpin {}; it stays in the kernel until the next start or stop", file, e);
      }
    }
  }

  /** Takes off what this link holds; not there is fine. */
  void detach(String link) {
    try {
      ebpf.detach(path, link);
    } catch (KernelError e) {
      LOG.debug("unpinning it without", e);
    }
  }

  /** Lets go of a map; not there is fine. */
  void unpin(String map) {
    try {
      Files.deleteIfExists(path.resolve(map));
    } catch (IOException e) {
      LOG.debug("{} stays until the next stop", map, e);
    }
  }

  /** Removes it with all that is in it. */
  void remove() {
    clear();
    try {
      Files.deleteIfExists(path);
      ownMount.ifPresent(ebpf::unmount);
    } catch (IOException | KernelError e) {
      LOG.warn("{} is not removed; the next start takes it up", path, e);
    }
  }
}

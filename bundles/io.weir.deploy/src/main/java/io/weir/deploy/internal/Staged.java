package io.weir.deploy.internal;

import io.weir.deployment.Refused;
import io.weir.function.FunctionSpec;
import io.weir.function.Source;
import io.weir.weirpkg.ImageArchive;
import io.weir.weirpkg.Manifest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A package on this gateway's disk, every byte of it checked. Its images get names that nobody else's have: by the package
 * and the archive's digest, so that what runs keeps its image, whatever the package calls its own.
 */
final class Staged implements AutoCloseable {
  static final String REPOSITORY = "localhost/weir.pkg/";
  private static final int DIGITS = 16;
  private static final Logger log = LoggerFactory.getLogger(Staged.class);

  private final Path folder;
  private final Manifest manifest;
  private final String signer;

  /** @param folder holds the files by their place in the manifest, and nothing else */
  Staged(Path folder, Manifest manifest, String signer) {
    this.folder = folder;
    this.manifest = manifest;
    this.signer = signer;
  }

  Manifest manifest() {
    return manifest;
  }

  String signer() {
    return signer;
  }

  static Path place(Path folder, Manifest manifest, Manifest.File file) {
    return folder.resolve(Integer.toString(manifest.files().indexOf(file)));
  }

  private Path place(Manifest.File file) {
    return place(folder, manifest, file);
  }

  String yaml() throws IOException {
    return text(manifest.file(Manifest.YAML));
  }

  /** What the weir.yaml names as handlers. */
  Map<String, String> handlers() throws IOException {
    Map<String, String> handlers = new LinkedHashMap<>();
    for (Manifest.File file : manifest.files()) {
      if (!file.isImage() && !file.name().equals(Manifest.YAML)) {
        handlers.put(file.name(), text(file));
      }
    }
    return handlers;
  }

  private String text(Manifest.File file) throws IOException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(Files.readAllBytes(place(file)))).toString();
    } catch (CharacterCodingException e) {
      throw new Refused(Refused.Code.BAD_PACKAGE, file.name() + " is not UTF-8; save it as UTF-8", e);
    }
  }

  /** The archives to load, by the names to load them under. */
  Map<String, ImageArchive> archives() throws IOException {
    Map<String, ImageArchive> archives = new LinkedHashMap<>();
    for (Manifest.File file : manifest.files()) {
      if (file.isImage()) {
        archives.put(reference(file), new ImageArchive(place(file)));
      }
    }
    return archives;
  }

  long bytes(String reference) {
    return manifest.files().stream().filter(file -> file.isImage() && reference(file).equals(reference))
        .mapToLong(Manifest.File::size).findFirst().orElse(0);
  }

  private String reference(Manifest.File archive) {
    return REPOSITORY + manifest.name() + ":" + archive.sha256().substring(0, DIGITS);
  }

  /** The function with the package's image in place of the name that the weir.yaml has for it. */
  FunctionSpec resolve(FunctionSpec spec) {
    return Optional.of(spec.source()).filter(Source.Image.class::isInstance)
        .map(source -> manifest.images().get(((Source.Image) source).reference()))
        .map(archive -> new FunctionSpec(spec.name(), new Source.Image(reference(manifest.file(archive))), spec.port(),
            spec.triggers(), spec.output(), spec.limits(), spec.scaling(), spec.timeout(), spec.environment(), spec.network()))
        .orElse(spec);
  }

  List<FunctionSpec> resolve(List<FunctionSpec> specs) {
    return specs.stream().map(this::resolve).toList();
  }

  @Override
  public void close() {
    delete(folder);
  }

  /** What cannot be deleted is deleted at the next start. */
  static void delete(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      log.warn("{} could not be deleted: {}", folder, e.toString());
    }
  }
}

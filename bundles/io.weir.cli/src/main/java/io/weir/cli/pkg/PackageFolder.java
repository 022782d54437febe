package io.weir.cli.pkg;

import io.weir.weirpkg.ImageArchive;
import io.weir.weirpkg.Limits;
import io.weir.weirpkg.Manifest;
import io.weir.weirpkg.PackageFault;
import io.weir.weirpkg.Signing;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What goes into a package. The gateway reads the YAML; here it is enough to take no file and no image too few, and one too
 * many does no harm.
 */
public final class PackageFolder implements AutoCloseable {
  private static final Pattern IMAGE =
      Pattern.compile("(?m)^(?!\\s*#)(?:.*[\\s{,])?[\"']?image[\"']?\\s*:\\s*[\"']?([A-Za-z0-9][^\\s\"',}]*)");
  private static final Pattern HANDLER =
      Pattern.compile("(?m)(?:^|[\\s{,])[\"']?handler[\"']?\\s*:\\s*[\"']?([A-Za-z_][A-Za-z0-9_-]*\\.[a-z]+)");

  /** Gets an image's archive from somewhere. */
  public interface Store {
    Path archive(String reference) throws IOException;
  }

  private final Path folder;
  private final String yaml;
  private final Map<String, Path> archives;
  private final Path temporary;

  private PackageFolder(Path folder, String yaml, Map<String, Path> archives) throws IOException {
    this.folder = folder;
    this.yaml = yaml;
    this.archives = new LinkedHashMap<>(archives);
    this.temporary = Files.createTempDirectory("weir-package");
  }

  /** @param archives those that are at hand, by the image's reference */
  public static PackageFolder of(Path folder, Map<String, Path> archives) throws IOException {
    Path file = folder.resolve(Manifest.YAML);
    if (Files.size(file) > Limits.TEXT_BYTES) {
      throw new PackageFault(PackageFault.Kind.TOO_LARGE, file + " is larger than " + Limits.TEXT_BYTES + " bytes");
    }
    return new PackageFolder(folder, Files.readString(file), archives);
  }

  /** The images that the weir.yaml names. */
  Set<String> images() {
    Set<String> images = new LinkedHashSet<>();
    Matcher matcher = IMAGE.matcher(yaml);
    while (matcher.find()) {
      images.add(matcher.group(1));
    }
    return images;
  }

  public Path newArchive() throws IOException {
    return Files.createTempFile(temporary, "image", ".tar");
  }

  /** Gets the archives that are not at hand. */
  public void fetch(Store store) throws IOException {
    for (String image : images()) {
      if (!archives.containsKey(image)) {
        archives.put(image, store.archive(image));
      }
    }
  }

  public Manifest write(String name, String version, Optional<PrivateKey> key, Path to) throws IOException {
    Map<String, Path> places = new LinkedHashMap<>();
    places.put(Manifest.YAML, folder.resolve(Manifest.YAML));
    Matcher handler = HANDLER.matcher(yaml);
    while (handler.find()) {
      if (Files.isRegularFile(folder.resolve(handler.group(1)))) {
        places.put(handler.group(1), folder.resolve(handler.group(1)));
      }
    }
    Map<String, String> images = new LinkedHashMap<>();
    Set<String> architectures = new LinkedHashSet<>();
    for (Map.Entry<String, Path> archive : archives.entrySet()) {
      new ImageArchive(archive.getValue()).architecture().ifPresent(architectures::add);
      String entry = entry(archive.getKey(), places.keySet());
      places.put(entry, archive.getValue());
      images.put(archive.getKey(), entry);
    }
    if (architectures.size() > 1) {
      throw new PackageFault(PackageFault.Kind.ARCHITECTURE, "its images are for " + String.join(" and ", architectures)
          + "; make a package for each");
    }
    List<Manifest.File> files = new ArrayList<>();
    for (Map.Entry<String, Path> place : places.entrySet()) {
      files.add(new Manifest.File(place.getKey(), Files.size(place.getValue()), sha256(place.getValue())));
    }
    Manifest manifest = new Manifest(name, version, architectures.stream().findFirst(), images, files);
    PackageFile.write(manifest, key.map(its -> Signing.sign(manifest.bytes(), its)),
        file -> Files.newInputStream(places.get(file.name())), to);
    return manifest;
  }

  /** {@code localhost/weir/thermo:1} as {@code images/thermo.tar}. */
  private static String entry(String reference, Set<String> taken) {
    String plain = reference.replaceAll("@.*", "").replaceAll(":[^/]*$", "").replaceAll(".*/", "").replaceAll("[^A-Za-z0-9_-]", "-");
    String short50 = plain.length() > 50 ? plain.substring(0, 50) : plain;
    String entry = "images/" + short50 + ".tar";
    for (int i = 2; taken.contains(entry); i++) {
      entry = "images/" + short50 + "-" + i + ".tar";
    }
    return entry;
  }

  private static String sha256(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(java.io.OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public void close() throws IOException {
    PackageFile.delete(temporary);
  }
}

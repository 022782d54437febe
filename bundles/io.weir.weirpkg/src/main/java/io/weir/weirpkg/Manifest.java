package io.weir.weirpkg;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a package holds, in the order in which it holds it. Immutable and valid. Its text has one form only, so that whoever
 * signs the bytes signs the meaning.
 *
 * @param name by which the gateway knows the package when another version of it comes
 * @param version for people; versions are not compared
 * @param architecture of the images, as Go and container images spell it; empty if there are none, or it does not matter
 * @param images archives by the reference under which weir.yaml names their images
 * @param files every entry; the first is the weir.yaml
 */
public record Manifest(String name, String version, Optional<String> architecture, Map<String, String> images,
    List<File> files) {
  /** The entry that says which functions there are. */
  public static final String YAML = "weir.yaml";
  static final String ENTRY = "manifest";
  static final String SIGNATURE_ENTRY = "manifest.sig";
  private static final String FIRST_LINE = "weirpkg 1";
  private static final Pattern NAME = Pattern.compile("[a-z]([a-z0-9-]{0,61}[a-z0-9])?");
  private static final Pattern VERSION = Pattern.compile("[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}");
  private static final Pattern ARCHITECTURE = Pattern.compile("[a-z][a-z0-9]{1,15}");
  private static final Pattern REFERENCE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}");
  /** Neither a path that leaves the folder, nor a hidden file, nor an option of some program can be written so. */
  private static final Pattern FILE = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,63}");
  private static final String IMAGES = "images/";
  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern SIZE = Pattern.compile("0|[1-9][0-9]{0,14}");

  /**
   * An entry.
   *
   * @param sha256 64 hex digits
   */
  public record File(String name, long size, String sha256) {
    public boolean isImage() {
      return name.startsWith(IMAGES);
    }
  }

  /** @throws PackageFault if something in it is not allowed */
  public Manifest {
    require(NAME, name, "name", "1 to 63 lower-case letters, digits and hyphens, beginning with a letter");
    require(VERSION, version, "version", "1 to 64 letters, digits, '.', '+', '_' and '-'");
    architecture.ifPresent(word -> require(ARCHITECTURE, word, "arch", "for example amd64, arm64 or arm"));
    images = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(images));
    files = List.copyOf(files);
    requireFiles(files);
    requireImages(images, files);
  }

  private static void require(Pattern pattern, String value, String what, String allowed) {
    if (!pattern.matcher(value).matches()) {
      throw PackageFault.malformed("the manifest's " + what + " '" + shown(value) + "' is not allowed; use " + allowed);
    }
  }

  private static void requireFiles(List<File> files) {
    if (files.isEmpty() || !files.get(0).name.equals(YAML)) {
      throw PackageFault.malformed("the first file of the manifest must be " + YAML);
    }
    if (files.size() > Limits.FILES) {
      throw new PackageFault(PackageFault.Kind.TOO_LARGE, "the package has " + files.size() + " files, more than "
          + Limits.FILES);
    }
    Set<String> names = new HashSet<>(Set.of(ENTRY, SIGNATURE_ENTRY));
    for (File file : files) {
      String plain = file.isImage() ? file.name.substring(IMAGES.length()) : file.name;
      require(FILE, plain, "file", "a plain name, or images/NAME, of letters, digits, '.', '_' and '-'");
      require(DIGEST, file.sha256, "digest", "64 lower-case hex digits of SHA-256");
      if (!names.add(file.name)) {
        throw PackageFault.malformed("the manifest names " + file.name + " twice");
      }
      long most = file.isImage() ? Limits.FILE_BYTES : Limits.TEXT_BYTES;
      if (file.size < 0 || file.size > most) {
        throw new PackageFault(PackageFault.Kind.TOO_LARGE, file.name + " has " + file.size + " bytes, more than " + most
            + (file.isImage() ? "" : "; only archives in " + IMAGES + " may be larger"));
      }
    }
  }

  private static void requireImages(Map<String, String> images, List<File> files) {
    Set<String> unused = new HashSet<>();
    files.stream().filter(File::isImage).forEach(file -> unused.add(file.name));
    Set<String> archives = Set.copyOf(unused);
    images.forEach((reference, archive) -> {
      require(REFERENCE, reference, "image", "an image reference, for example localhost/thermo-alert:1");
      if (!archives.contains(archive)) {
        throw PackageFault.malformed("the manifest says that image " + reference + " is in " + shown(archive)
            + ", which is no file of " + IMAGES);
      }
      unused.remove(archive);
    });
    if (!unused.isEmpty()) {
      throw PackageFault.malformed("no image of the manifest is in " + unused.iterator().next());
    }
  }

  /** Bytes of all files together. */
  public long totalBytes() {
    long total = 0;
    for (File file : files) {
      total = file.size > Long.MAX_VALUE - total ? Long.MAX_VALUE : total + file.size;
    }
    return total;
  }

  public File file(String name) {
    return files.stream().filter(file -> file.name.equals(name)).findFirst().orElseThrow(
        () -> new IllegalArgumentException("no file " + name));
  }

  /** The bytes that are stored and signed. */
  public byte[] bytes() {
    StringBuilder text = new StringBuilder(FIRST_LINE).append("\nname ").append(name).append("\nversion ").append(version)
        .append('\n');
    architecture.ifPresent(word -> text.append("arch ").append(word).append('\n'));
    images.forEach((reference, archive) -> text.append("image ").append(reference).append(' ').append(archive).append('\n'));
    files.forEach(file -> text.append("file ").append(file.name).append(' ').append(file.size).append(' ')
        .append(file.sha256).append('\n'));
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /** @throws PackageFault if the bytes are no manifest, or one that is written otherwise than {@link #bytes} would */
  public static Manifest of(byte[] bytes) {
    if (bytes.length > Limits.MANIFEST_BYTES) {
      throw new PackageFault(PackageFault.Kind.TOO_LARGE, "the manifest is larger than " + Limits.MANIFEST_BYTES + " bytes");
    }
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    List<String> lines = List.of(text.split("\n", -1));
    if (!lines.get(0).equals(FIRST_LINE)) {
      throw PackageFault.malformed(lines.get(0).matches("weirpkg [0-9]{1,9}")
          ? "this is a package of format " + lines.get(0).substring(8) + ", and this Weir knows format 1; update Weir"
          : "this is no function package: its manifest does not begin with '" + FIRST_LINE + "'");
    }
    Manifest manifest = new Lines(lines.subList(1, lines.size())).manifest();
    if (!java.util.Arrays.equals(manifest.bytes(), bytes)) {
      throw PackageFault.malformed("the manifest is not written as it must be: one space between words, a line feed after "
          + "each line, and lines in the order name, version, arch, image, file");
    }
    return manifest;
  }

  static String shown(String text) {
    String harmless = text.replaceAll("[^\\x20-\\x7e]", "?");
    return harmless.length() > 80 ? harmless.substring(0, 80) + "…" : harmless;
  }

  /** The lines after the first; their order is checked by writing the manifest again. */
  private static final class Lines {
    private final List<String> lines;

    Lines(List<String> lines) {
      this.lines = lines;
    }

    Manifest manifest() {
      Map<String, String> single = new LinkedHashMap<>();
      Map<String, String> images = new LinkedHashMap<>();
      List<File> files = new ArrayList<>();
      for (String line : lines) {
        String[] words = line.split(" ", -1);
        if (words.length == 2 && Set.of("name", "version", "arch").contains(words[0])) {
          single.put(words[0], words[1]);
        } else if (words.length == 3 && words[0].equals("image")) {
          images.put(words[1], words[2]);
        } else if (words.length == 4 && words[0].equals("file") && SIZE.matcher(words[2]).matches()) {
          files.add(new File(words[1], Long.parseLong(words[2]), words[3]));
        } else if (!line.isEmpty()) {
          throw PackageFault.malformed("the manifest has a line that means nothing: '" + shown(line) + "'");
        }
      }
      return new Manifest(single.getOrDefault("name", ""), single.getOrDefault("version", ""),
          Optional.ofNullable(single.get("arch")), images, files);
    }
  }
}

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * What packages need to be done to bundles, run from its source.
 *
 * <pre>
 * java Bundles.java prune ARCH FROM TO     a bundle without the native code of other architectures
 * java Bundles.java plain JAR…             each without what depends on who built it, the modes of files
 * java Bundles.java dp TO NAME VERSION JAR…    a deployment package; snapshots in it get that version
 * </pre>
 *
 * The same input gives the same bytes: entries keep their order, and all have the time {@code SOURCE_DATE_EPOCH}.
 */
final class Bundles {
  private static final LocalDateTime TIME = LocalDateTime.ofInstant(
      Instant.ofEpochSecond(Long.parseLong(System.getenv().getOrDefault("SOURCE_DATE_EPOCH", "1763683200"))), ZoneOffset.UTC);
  /** What is for one architecture, by Debian's name of it. */
  private static final Map<String, List<String>> NATIVE = Map.of(
      "amd64", List.of("native/amd64/", "native/licences/SOURCE-amd64", "ebpf/lib/amd64/", "com/sun/jna/linux-x86-64/"),
      "arm64", List.of("native/arm64/", "native/licences/SOURCE-arm64", "ebpf/lib/arm64/", "com/sun/jna/linux-aarch64/"),
      "armhf", List.of("native/armhf/", "native/licences/SOURCE-armhf", "ebpf/lib/armhf/", "com/sun/jna/linux-arm/"));

  private Bundles() {}

  public static void main(String[] args) throws IOException {
    switch (args.length == 0 ? "" : args[0]) {
      case "prune" -> prune(args[1], Path.of(args[2]), Path.of(args[3]));
      case "plain" -> {
        for (String jar : args) {
          if (!jar.equals("plain")) {
            change(Path.of(jar), (name, bytes) -> bytes);
          }
        }
      }
      case "dp" -> deploymentPackage(Path.of(args[1]), args[2], args[3],
          List.of(args).subList(4, args.length).stream().map(Path::of).toList());
      default -> throw new IllegalArgumentException("what? prune, plain or dp");
    }
  }

  private static void prune(String arch, Path from, Path to) throws IOException {
    if (!NATIVE.containsKey(arch)) {
      throw new IllegalArgumentException("no such architecture: " + arch);
    }
    List<String> others = NATIVE.entrySet().stream().filter(each -> !each.getKey().equals(arch))
        .flatMap(each -> each.getValue().stream()).toList();
    copy(from, to, name -> others.stream().noneMatch(name::startsWith), (name, bytes) -> bytes);
  }

  /**
   * Gives a bundle of the version {@code 1.2.3.SNAPSHOT} that of its package: whoever puts one package over another keeps
   * bundles that have the same version in both.
   */
  private static void snapshot(Path bundle, String version) throws IOException {
    String snapshot = version.replaceFirst("^(\\d+\\.\\d+\\.\\d+)(\\..*)?$", "$1.SNAPSHOT");
    change(bundle, (name, bytes) -> !name.equals(JarFile.MANIFEST_NAME) ? bytes
        : new String(bytes, StandardCharsets.UTF_8).replaceFirst("(?m)^Bundle-Version: " + Pattern.quote(snapshot) + "(?=\\r?$)",
            "Bundle-Version: " + version).getBytes(StandardCharsets.UTF_8));
  }

  private static void change(Path bundle, BiFunction<String, byte[], byte[]> change) throws IOException {
    Path to = bundle.resolveSibling(bundle.getFileName() + ".new");
    copy(bundle, to, name -> true, change);
    Files.move(to, bundle, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void copy(Path from, Path to, Predicate<String> wanted, BiFunction<String, byte[], byte[]> change)
      throws IOException {
    try (JarFile jar = new JarFile(from.toFile(), false);
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(to))) {
      for (var entry : Collections.list(jar.entries())) {
        if (wanted.test(entry.getName())) {
          ZipEntry copy = new ZipEntry(entry.getName());
          copy.setTimeLocal(TIME);
          out.putNextEntry(copy);
          try (InputStream in = jar.getInputStream(entry)) {
            out.write(change.apply(entry.getName(), in.readAllBytes()));
          }
          out.closeEntry();
        }
      }
    }
  }

  private static void deploymentPackage(Path to, String name, String version, List<Path> bundles) throws IOException {
    List<String> sections = new ArrayList<>();
    for (Path bundle : bundles) {
      snapshot(bundle, version);
      try (JarFile jar = new JarFile(bundle.toFile(), false)) {
        Attributes headers = jar.getManifest().getMainAttributes();
        String symbolicName = headers.getValue("Bundle-SymbolicName").split(";")[0].strip();
        sections.add(section("Name", "bundles/" + bundle.getFileName()) + section("Bundle-SymbolicName", symbolicName)
            + section("Bundle-Version", headers.getValue("Bundle-Version").strip()));
      }
    }
    String manifest = section("Manifest-Version", "1.0") + section("DeploymentPackage-ManifestVersion", "1")
        + section("DeploymentPackage-SymbolicName", name) + section("DeploymentPackage-Version", version)
        + section("DeploymentPackage-Name", "Weir") + section("DeploymentPackage-Vendor", "Weir")
        + section("DeploymentPackage-License", "EPL-2.0") + "\r\n" + String.join("\r\n", sections) + "\r\n";
    // Whoever installs it reads it so.
    new Manifest(new ByteArrayInputStream(manifest.getBytes(StandardCharsets.UTF_8)));
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(to))) {
      store(out, JarFile.MANIFEST_NAME, manifest.getBytes(StandardCharsets.UTF_8));
      for (Path bundle : bundles) {
        store(out, "bundles/" + bundle.getFileName(), Files.readAllBytes(bundle));
      }
    }
  }

  /** A line of a manifest is at most 72 bytes, and goes on after a line break and a space. */
  private static String section(String key, String value) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    write(out, key + ": " + value);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static void write(OutputStream out, String line) throws IOException {
    byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
    int at = 0;
    for (int room = 70; at < bytes.length; room = 69) {
      int length = Math.min(room, bytes.length - at);
      out.write((at == 0 ? "" : " ").getBytes(StandardCharsets.UTF_8));
      out.write(bytes, at, length);
      out.write("\r\n".getBytes(StandardCharsets.UTF_8));
      at += length;
    }
  }

  /** Bundles are compressed already. */
  private static void store(ZipOutputStream out, String name, byte[] bytes) throws IOException {
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    ZipEntry entry = new ZipEntry(name);
    entry.setTimeLocal(TIME);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCrc(checksum.getValue());
    out.putNextEntry(entry);
    out.write(bytes);
    out.closeEntry();
  }
}

package io.weir.broker.internal;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mosquitto that runs on this machine.
 *
 * @param program its path
 * @param version for example {@code 2.0.11}
 * @param bundled whether it came with the bundle
 */
record Executable(Path program, String version, boolean bundled) {
  private static final Logger LOG = LoggerFactory.getLogger(Executable.class);
  private static final Pattern VERSION = Pattern.compile("mosquitto version (\\S+)");

  /** Where to look: the bundle's files, the directory to unpack into, and the system's {@code PATH}. */
  record Sources(java.util.function.Function<String, Optional<URL>> bundle, Path directory, String path) {}

  /** The configured one and no other; or else the bundled one, if it runs here; or else the system's. */
  static Executable find(Optional<Path> configured, Sources sources) throws IOException {
    if (configured.isPresent()) {
      return trial(configured.get(), false).orElseThrow(() -> new IOException(configured.get()
          + " is no mosquitto that runs here; correct 'executable' in " + MosquittoBroker.PID + " or leave it empty"));
    }
    Optional<Executable> bundled = unpack(sources).flatMap(program -> trial(program, true));
    if (bundled.isPresent()) {
      return bundled.get();
    }
    return onSystem(sources.path()).flatMap(program -> trial(program, false).stream()).findFirst()
        .orElseThrow(() -> new IOException("no mosquitto runs here: the bundle has none for " + arch()
            + " that works, and the system has none; install the package mosquitto"));
  }

  private static Stream<Path> onSystem(String path) {
    List<String> directories = new ArrayList<>(List.of(path.split(":")));
    directories.addAll(List.of("/usr/sbin", "/usr/local/sbin", "/usr/bin"));
    return directories.stream().filter(directory -> !directory.isEmpty()).distinct()
        .map(directory -> Path.of(directory, "mosquitto")).filter(Files::isExecutable);
  }

  /** Debian's name of the architecture that this Java runs on. */
  static String arch() {
    String arch = System.getProperty("os.arch");
    switch (arch) {
      case "aarch64":
        return "arm64";
      case "arm":
        return "armhf";
      case "x86_64":
        return "amd64";
      default:
        return arch;
    }
  }

  /** The bundle's program as a file; unpacked again only if its checksum differs. */
  private static Optional<Path> unpack(Sources sources) {
    String name = arch() + "/mosquitto";
    try {
      Optional<String> checksum = checksum(sources, name);
      Optional<URL> resource = sources.bundle().apply("native/" + name);
      if (checksum.isEmpty() || resource.isEmpty()) {
        LOG.info("The bundle carries no mosquitto for {}; looking for the system's", arch());
        return Optional.empty();
      }
      Path program = sources.directory().resolve("mosquitto");
      if (!Files.isExecutable(program) || !sha256(Files.readAllBytes(program)).equals(checksum.get())) {
        unpack(resource.get(), checksum.get(), program);
      }
      return Optional.of(program);
    } catch (IOException e) {
      LOG.warn("The bundled mosquitto could not be unpacked to {}; looking for the system's", sources.directory(), e);
      return Optional.empty();
    }
  }

  private static void unpack(URL resource, String checksum, Path program) throws IOException {
    byte[] bytes;
    try (InputStream in = resource.openStream()) {
      bytes = in.readAllBytes();
    }
    if (!sha256(bytes).equals(checksum)) {
      throw new IOException(resource + " does not have the checksum that the bundle records for it");
    }
    Path part = Files.createTempFile(program.getParent(), "mosquitto", ".part",
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    Files.write(part, bytes);
    Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.move(part, program, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static Optional<String> checksum(Sources sources, String name) throws IOException {
    Optional<URL> sums = sources.bundle().apply("native/SHA256SUMS");
    if (sums.isEmpty()) {
      return Optional.empty();
    }
    try (InputStream in = sums.get().openStream()) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().map(line -> line.split("\\s+"))
          .filter(columns -> columns.length == 2 && columns[1].equals(name)).map(columns -> columns[0]).findFirst();
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** Runs it once; a binary for another libc or without its libraries fails here and not later. */
  private static Optional<Executable> trial(Path program, boolean bundled) {
    try {
      Process process = new ProcessBuilder(program.toString(), "-h").redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readNBytes(4096), StandardCharsets.UTF_8);
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
      Matcher version = VERSION.matcher(output);
      if (version.find()) {
        return Optional.of(new Executable(program, version.group(1), bundled));
      }
      LOG.warn("{} does not run here: {}", program, output.lines().findFirst().orElse("no output"));
    } catch (IOException e) {
      LOG.warn("{} does not run here: {}", program, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Optional.empty();
  }
}

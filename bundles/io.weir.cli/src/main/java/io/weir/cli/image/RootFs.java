package io.weir.cli.image;

import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Progress;
import io.weir.cli.ui.Terminal;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Root file systems of runtimes, made from Debian's packages and kept as tar files.
 *
 * <p>mmdebstrap's {@code extract} variant unpacks packages without running their maintainer scripts, so no shell ends up
 * in the image; what a script would have done that matters (byte-compiling, certificates) is done here.
 */
final class RootFs {
  private static final List<String> SUPERFLUOUS = List.of("usr/share/man", "usr/share/info", "usr/share/locale",
      "usr/share/lintian", "usr/share/bug", "usr/share/bash-completion", "usr/share/zsh", "usr/share/menu",
      "usr/share/applications", "usr/share/pixmaps", "usr/share/icons", "usr/share/perl5", "usr/share/polkit-1",
      "usr/share/gdb", "usr/share/gcc", "usr/share/dpkg", "usr/share/binfmts", "usr/share/debconf", "usr/lib/dpkg",
      "usr/lib/mime", "usr/libexec", "usr/sbin", "sbin", "var/lib", "var/cache", "var/log", "etc/apt", "etc/dpkg",
      "etc/cron.daily", "etc/logrotate.d", "etc/ca-certificates", "etc/init.d", "etc/default", "etc/alternatives", "lib/systemd",
      "usr/lib/systemd");
  private static final List<String> SUPERFLUOUS_PYTHON = List.of("idlelib", "lib2to3", "turtledemo", "tkinter", "ensurepip",
      "pydoc_data", "test", "turtle.py");
  /** The compiler, 15 MiB, is for the gateway's runners, which get handlers as source. */
  static final String JAVA_MODULES = "java.base,java.logging,java.management,java.net.http,java.xml,"
      + "jdk.compiler,jdk.httpserver,jdk.crypto.ec,jdk.unsupported";

  private final Host host;
  private final Path cache;
  private final Terminal terminal;

  RootFs(Host host, Path cache, Terminal terminal) {
    this.host = host;
    this.cache = cache;
    this.terminal = terminal;
  }

  /** The tar of a runtime, from the cache or made now. */
  Path tar(Runtime runtime, boolean fresh) {
    Path tar = cache.resolve("rootfs").resolve(runtime.fileName(host));
    if (!fresh && Files.isRegularFile(tar)) {
      return tar;
    }
    requireMeans(runtime);
    try {
      Files.createDirectories(tar.getParent());
      removeLeftovers(tar.getParent());
      Path work = Files.createTempDirectory(tar.getParent(), ".making-");
      try {
        make(runtime, work, tar);
      } finally {
        Shell.removeTree(work);
      }
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "cannot make the " + runtime.word() + " runtime below " + cache + ": " + e, e);
    }
    return tar;
  }

  /** A signal or a power cut leaves a half-made tree behind; an hour is longer than any making takes. */
  private static void removeLeftovers(Path folder) throws IOException {
    try (var leftovers = Files.newDirectoryStream(folder, ".making-*")) {
      for (Path leftover : leftovers) {
        if (Files.getLastModifiedTime(leftover).toInstant().isBefore(Instant.now().minus(Duration.ofHours(1)))) {
          Shell.removeTree(leftover);
        }
      }
    }
  }

  private void requireMeans(Runtime runtime) {
    if (host.suite().isEmpty()) {
      throw new Failure(ExitCode.MISSING, "this machine is no Debian, Raspberry Pi OS or kin (/etc/os-release names no "
          + "VERSION_CODENAME), and runtimes are made from Debian's packages; write a Containerfile instead");
    }
    if (!host.root()) {
      throw new Failure(ExitCode.MISSING,
          "making the " + runtime.word() + " runtime unpacks Debian packages, which takes root; run it once with sudo");
    }
    Shell.require("mmdebstrap", "mmdebstrap", "making a runtime");
    if (runtime == Runtime.JAVA) {
      requireJlink();
    }
  }

  private static Path requireJlink() {
    Path home = Path.of(System.getProperty("java.home"));
    Path jlink = home.resolve("bin/jlink");
    if (!Files.isExecutable(jlink) || !Files.isDirectory(home.resolve("jmods"))) {
      throw new Failure(ExitCode.MISSING,
          "the Java at " + home + " has no jlink; install a JDK with: apt install default-jdk-headless");
    }
    return jlink;
  }

  private void make(Runtime runtime, Path work, Path tar) throws IOException {
    AptSources sources = AptSources.of(Path.of("/etc/apt"), host.suite());
    Path root = work.resolve("root");
    try (Progress progress = terminal.progress("making the " + runtime.word() + " runtime from Debian " + host.suite(), 0, "")) {
      List<String> command = new ArrayList<>(List.of("mmdebstrap", "--variant=extract", "--mode=root",
          "--include=" + String.join(",", runtime.packages()), host.suite(), root.toString()));
      sources.writeTo(work).forEach(file -> command.add(file.toString()));
      // From inside the work folder: apt's own user must be able to enter where it is started.
      Shell.run(command, Map.of("TMPDIR", "/tmp"), Path.of("/"), line -> progress.say(line.replaceFirst("^I: ", "")));
      finish(runtime, root, progress::say);
      progress.say("packing");
      pack(root, work.resolve("root.tar"));
      Files.move(work.resolve("root.tar"), tar, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
      progress.done(Progress.sized(Files.size(tar)));
    }
  }

  private void finish(Runtime runtime, Path root, Consumer<String> say) throws IOException {
    mergeUsr(root);
    certificates(root);
    switch (runtime) {
      case PYTHON -> python(root, say);
      case JAVA -> java(root, say);
      default -> { }
    }
    say.accept("trimming");
    trim(root);
    for (String folder : List.of("dev", "proc", "sys", "run", "tmp", "app", "etc")) {
      Files.createDirectories(root.resolve(folder));
    }
    // Programs ask who they are, and who localhost is.
    Files.writeString(root.resolve("etc/passwd"), "root:x:0:0:root:/:/nonexistent\napp:x:1000:1000:app:/tmp:/nonexistent\n");
    Files.writeString(root.resolve("etc/group"), "root:x:0:\napp:x:1000:\n");
    Files.writeString(root.resolve("etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
  }

  /** From Debian 13 on, packages hold their files below /usr only, and base-files, which is not here, brings the links. */
  private static void mergeUsr(Path root) throws IOException {
    for (String folder : List.of("bin", "sbin", "lib", "lib32", "lib64")) {
      if (Files.isDirectory(root.resolve("usr").resolve(folder)) && Files.notExists(root.resolve(folder))) {
        Files.createSymbolicLink(root.resolve(folder), Path.of("usr", folder));
      }
    }
  }

  private static void certificates(Path root) throws IOException {
    Path source = root.resolve("usr/share/ca-certificates/mozilla");
    if (!Files.isDirectory(source)) {
      return;
    }
    Path bundle = Files.createDirectories(root.resolve("etc/ssl/certs")).resolve("ca-certificates.crt");
    try (Stream<Path> certificates = Files.list(source); OutputStream out = Files.newOutputStream(bundle)) {
      for (Path certificate : certificates.sorted().toList()) {
        Files.copy(certificate, out);
      }
    }
    Shell.removeTree(root.resolve("usr/share/ca-certificates"));
    // Only ca-certificates wants the program, and only for its scripts.
    Files.deleteIfExists(root.resolve("usr/bin/openssl"));
    Files.deleteIfExists(root.resolve("usr/bin/c_rehash"));
  }

  private static void python(Path root, Consumer<String> say) throws IOException {
    Path library = only(root.resolve("usr/lib"), "python3.*");
    for (String name : SUPERFLUOUS_PYTHON) {
      Shell.removeTree(library.resolve(name));
    }
    try (var configs = Files.newDirectoryStream(library, "config-*")) {
      for (Path config : configs) {
        Shell.removeTree(config);
      }
    }
    say.accept("compiling Python's library");
    // Unchecked: the image is read-only, so comparing each source's date at start would be in vain.
    Shell.run(List.of("chroot", root.toString(), "/usr/bin/python3", "-m", "compileall", "-q", "--invalidation-mode",
        "unchecked-hash", "-j", "0", "/usr/lib/" + library.getFileName()), Map.of(), Path.of("/"), line -> {});
  }

  private static void java(Path root, Consumer<String> say) throws IOException {
    say.accept("linking a Java runtime");
    Files.createDirectories(root.resolve("opt"));
    Shell.run(List.of(requireJlink().toString(), "--add-modules", JAVA_MODULES, "--strip-debug", "--no-header-files",
        "--no-man-pages", "--output", root.resolve("opt/java").toString()), Map.of(), Path.of("/"), line -> {});
    say.accept("writing Java's class data");
    Shell.run(List.of("chroot", root.toString(), "/opt/java/bin/java", "-Xshare:dump"),
        Map.of("LD_LIBRARY_PATH", "/opt/java/lib"), Path.of("/"), line -> {});
    Shell.removeTree(root.resolve("opt/java/legal"));
  }

  private static void trim(Path root) throws IOException {
    for (String superfluous : SUPERFLUOUS) {
      Path path = root.resolve(superfluous);
      // Through a merged-/usr link, sbin is usr/sbin; the name alone is judged, never what a link leads to.
      if (!Files.isSymbolicLink(path)) {
        Shell.removeTree(path);
      }
    }
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path file : tree.filter(p -> Files.isRegularFile(p, java.nio.file.LinkOption.NOFOLLOW_LINKS)).toList()) {
        if (isSuperfluous("/" + root.relativize(file))) {
          Files.delete(file);
        }
      }
    }
  }

  /** Licences stay: whoever passes an image on must pass them on too. */
  private static boolean isSuperfluous(String path) {
    return path.startsWith("/usr/share/doc/") && !path.endsWith("/copyright")
        || path.endsWith(".a") || path.contains("/gconv/") || path.matches("(/usr)?/bin/(tar|dpkg.*|update-alternatives)");
  }

  private void pack(Path root, Path file) throws IOException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20); Tars tar = new Tars(out)) {
      tar.tree(root, "", path -> true);
    }
  }

  private static Path only(Path folder, String pattern) throws IOException {
    try (var found = Files.newDirectoryStream(folder, pattern)) {
      for (Path path : found) {
        return path;
      }
    }
    throw new IOException("no " + pattern + " in " + folder);
  }
}

package io.weir.cli.image;

import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** Compiles what needs compiling before it goes into an image. */
final class Sources {
  private Sources() {}

  /** Compiles the folder's Java files, but for those below a folder {@code test}, to {@code app.jar}. */
  static void jar(Path folder, Path jar, Path work) throws IOException {
    List<Path> sources = files(folder, ".java").stream()
        .filter(file -> !folder.relativize(file).startsWith("test") && !folder.relativize(file).startsWith("src/test"))
        .toList();
    if (sources.isEmpty()) {
      throw new Failure(ExitCode.FAILED, folder + " holds neither app.jar nor a .java file");
    }
    Path classes = Files.createDirectories(work.resolve("classes"));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    if (compiler == null) {
      throw new Failure(ExitCode.MISSING, "this Java has no compiler; install a JDK with: apt install default-jdk-headless");
    }
    List<String> options = List.of("--release", "17", "-encoding", "UTF-8", "-d", classes.toString(), "-cp",
        String.join(":", files(folder, ".jar").stream().map(Path::toString).toList()) + ":" + classes);
    StringWriter words = new StringWriter();
    try (var manager = compiler.getStandardFileManager(null, null, null)) {
      if (!compiler.getTask(words, manager, null, options, null, manager.getJavaFileObjectsFromPaths(sources)).call()) {
        throw new Failure(ExitCode.FAILED, "the Java sources in " + folder + " do not compile:\n" + words);
      }
    }
    pack(classes, jar);
  }

  private static void pack(Path classes, Path jar) throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, "Main");
    try (OutputStream out = Files.newOutputStream(jar); JarOutputStream packed = new JarOutputStream(out, manifest)) {
      for (Path file : files(classes, "")) {
        JarEntry entry = new JarEntry(classes.relativize(file).toString());
        entry.setTime(0);
        packed.putNextEntry(entry);
        Files.copy(file, packed);
        packed.closeEntry();
      }
    }
  }

  /** Builds the folder's C program, by its Makefile's target {@code main} if it has one, without any shared library. */
  static Path program(Path folder, Path work) throws IOException {
    String compiler = Shell.require("musl-gcc", "musl-tools", "building a static program");
    Path copy = Files.createDirectories(work.resolve("source"));
    copyTree(folder, copy);
    Path program = copy.resolve("main");
    if (Files.isRegularFile(copy.resolve("Makefile"))) {
      Files.deleteIfExists(program);
      Shell.run(List.of(Shell.require("make", "make", "this folder's Makefile"), "-s", "CC=" + compiler, "LDFLAGS=-static", "main"),
          Map.of(), copy, line -> {});
    } else {
      List<String> command = new ArrayList<>(List.of(compiler, "-static", "-O2", "-o", program.toString()));
      List<Path> sources = files(copy, ".c");
      if (sources.isEmpty()) {
        throw new Failure(ExitCode.FAILED, folder + " holds neither a Makefile nor a .c file");
      }
      sources.forEach(source -> command.add(source.toString()));
      Shell.run(command, Map.of(), copy, line -> {});
    }
    if (!Files.isExecutable(program)) {
      throw new Failure(ExitCode.FAILED, "the Makefile in " + folder + " made no executable named main");
    }
    return program;
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> tree = Files.walk(from)) {
      for (Path path : tree.toList()) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else if (Files.isRegularFile(path)) {
          Files.copy(path, target, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }

  private static List<Path> files(Path folder, String suffix) throws IOException {
    try (Stream<Path> tree = Files.walk(folder)) {
      return tree.filter(Files::isRegularFile).filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    }
  }
}

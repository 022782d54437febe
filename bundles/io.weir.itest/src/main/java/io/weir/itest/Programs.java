package io.weir.itest;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Small programs in C that come as source with the tests. */
public final class Programs {
  private static final Path WORK = Path.of(System.getProperty("weir.work"));

  private Programs() {}

  /** A program of this machine. */
  public static Path compile(String name) throws Exception {
    return compile("gcc", name);
  }

  /** A program that runs in a container with nothing else in it. */
  public static Path compileStatic(String name) throws Exception {
    return compile("musl-gcc", name, "-static");
  }

  private static Path compile(String compiler, String name, String... options) throws Exception {
    Path folder = Files.createDirectories(WORK.resolve("programs"));
    Path source = folder.resolve(name + ".c");
    try (InputStream in = Programs.class.getResourceAsStream("/" + name + ".c")) {
      if (in == null) {
        throw new IOException("no " + name + ".c in the class path");
      }
      Files.write(source, in.readAllBytes());
    }
    Gateway.exec("sh", "-c", compiler + " -O2 -D_GNU_SOURCE " + String.join(" ", options) + " -o " + folder.resolve(name) + " "
        + source);
    return folder.resolve(name);
  }
}

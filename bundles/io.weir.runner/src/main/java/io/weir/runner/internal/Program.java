package io.weir.runner.internal;

import io.weir.function.Language;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What runs in a runner of one language.
 *
 * @param build what its Containerfile says after FROM
 * @param files its files, by their path below {@code /runner}
 */
record Program(Language language, String build, Map<String, byte[]> files) {

  private static final List<String> JAVA_FILES = List.of("weir/Answer.java", "weir/Event.java", "weir/Handler.java",
      "weir/Json.java", "weir/Runner.java");

  /**
   * How Java runs: small and soon up; the server's idle connections stay, since a clock that ends them would strike right
   * after a thaw; the runner may set the environment.
   */
  static final List<String> JAVA = List.of("/opt/java/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
      "-XX:-UsePerfData", "-XX:MaxRAMPercentage=50", "-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=20", "-Xshare:auto",
      "-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8", "-Dsun.stderr.encoding=UTF-8",
      "-Dsun.net.httpserver.nodelay=true", "-Dsun.net.httpserver.idleInterval=100000000",
      "-Dsun.net.httpserver.maxIdleConnections=1000",
      "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.util=ALL-UNNAMED");

  static Program of(Language language) {
    return switch (language) {
      case PYTHON -> new Program(language, """
          COPY runner/ /runner/
          RUN ["/usr/bin/python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/runner"]
          WORKDIR /runner
          USER 1000:1000
          ENTRYPOINT ["/usr/bin/python3", "-B", "-s", "-S", "-m", "runner"]
          """, files("python/", List.of("runner.py")));
      case NODE -> new Program(language, """
          COPY runner/ /runner/
          WORKDIR /runner
          ENV NODE_ENV=production
          USER 1000:1000
          ENTRYPOINT ["/usr/bin/node", "/runner/runner.js"]
          """, files("node/", List.of("runner.js")));
      case JAVA -> new Program(language, """
          COPY runner/ /runner/
          RUN ["/opt/java/bin/javac", "-proc:none", "-d", "/runner", %s]
          WORKDIR /runner
          USER 1000:1000
          ENTRYPOINT [%s, "-cp", "/runner", "weir.Runner"]
          """.formatted(quoted(JAVA_FILES.stream().map("/runner/"::concat)), quoted(JAVA.stream())),
          files("java/", JAVA_FILES));
    };
  }

  private static String quoted(Stream<String> words) {
    return words.map(word -> '"' + word + '"').collect(Collectors.joining(", "));
  }

  private static Map<String, byte[]> files(String folder, List<String> names) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (String name : names) {
      try (InputStream in = Program.class.getResourceAsStream("/io/weir/runner/" + folder + name)) {
        if (in == null) {
          throw new IllegalStateException("the bundle lacks " + folder + name);
        }
        files.put(name, in.readAllBytes());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return files;
  }

  /** The runtime that the command line makes of Debian's packages. */
  String base() {
    return "localhost/weir/rt-" + language.label() + ":current";
  }

  /** Changes with the program and with the runtime below it. */
  String reference(String baseId) {
    String content = files.entrySet().stream()
        .map(file -> file.getKey() + "\0" + new String(file.getValue(), StandardCharsets.UTF_8))
        .collect(Collectors.joining("\0"));
    return "localhost/weir/runner-" + language.label() + ":" + Digest.of(baseId, build, content);
  }

  /** The tar from which the image is built. */
  byte[] context() {
    Map<String, byte[]> context = new LinkedHashMap<>();
    context.put("Containerfile", ("FROM " + base() + "\n" + build).getBytes(StandardCharsets.UTF_8));
    files.forEach((name, content) -> context.put("runner/" + name, content));
    return Tar.of(context);
  }

  static List<Program> all() {
    return Arrays.stream(Language.values()).map(Program::of).toList();
  }

  /** As much of POSIX's ustar as a build context needs. */
  private static final class Tar {
    private static final int BLOCK = 512;

    static byte[] of(Map<String, byte[]> files) {
      ByteArrayOutputStream tar = new ByteArrayOutputStream();
      files.forEach((name, content) -> {
        tar.writeBytes(header(name, content.length));
        tar.writeBytes(content);
        tar.writeBytes(new byte[(BLOCK - content.length % BLOCK) % BLOCK]);
      });
      tar.writeBytes(new byte[2 * BLOCK]);
      return tar.toByteArray();
    }

    private static byte[] header(String name, int size) {
      byte[] header = new byte[BLOCK];
      put(header, 0, name);
      put(header, 100, "0000644\0000000000\0000000000\000");
      put(header, 124, String.format("%011o\00000000000000\000        0", size));
      put(header, 257, "ustar\00000");
      int sum = 0;
      for (byte b : header) {
        sum += b;
      }
      put(header, 148, String.format("%06o\000 ", sum));
      return header;
    }

    private static void put(byte[] header, int at, String text) {
      byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(bytes, 0, header, at, bytes.length);
    }
  }
}

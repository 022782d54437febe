package io.weir.cli.image;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** What a function is written in, and the Debian packages that run it. */
public enum Runtime {
  PYTHON(List.of("python3", "ca-certificates")),
  NODE(List.of("nodejs", "ca-certificates")),
  /** The libraries below a Java runtime that jlink makes from this machine's JDK. */
  JAVA(List.of("libc6", "zlib1g", "libstdc++6", "libgcc-s1", "ca-certificates")),
  /** A program that needs no file but itself. */
  STATIC(List.of());

  /** To be raised whenever the making of a root file system changes. */
  private static final int RECIPE = 1;

  private final List<String> packages;

  Runtime(List<String> packages) {
    this.packages = packages;
  }

  public static List<String> names() {
    return List.of("python", "node", "java", "static");
  }

  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  List<String> packages() {
    return packages;
  }

  /** Changes with everything that decides what the root file system holds, except the packages' own versions. */
  String version(Host host) {
    String made = RECIPE + "|" + word() + "|" + String.join(",", packages) + "|" + host.suite() + "|" + host.arch()
        + (this == JAVA ? "|" + java.lang.Runtime.version() + "|" + RootFs.JAVA_MODULES : "");
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(made.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 4);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** The name under which the gateway knows the runtime's image. */
  String reference(Host host) {
    return "localhost/weir/rt-" + word() + ":" + host.suite() + "-" + version(host);
  }

  /** The name under which the gateway finds the runtime for its own runners, whatever the release. */
  String current() {
    return current(word());
  }

  static String current(String word) {
    return "localhost/weir/rt-" + word + ":current";
  }

  String fileName(Host host) {
    return word() + "-" + host.suite() + "-" + host.arch() + "-" + version(host) + ".tar";
  }
}

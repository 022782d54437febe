package io.weir.cli.image;

/** The Containerfile of a folder that has none of its own. The function's files lie in {@code app/} of the context. */
final class Containerfiles {
  /** What a Containerfile of one's own may say after FROM to build on the runtime. */
  static final String RUNTIME = "${WEIR_RUNTIME}";

  private static final String TAIL = "USER 1000:1000\nEXPOSE 8080\n";

  private Containerfiles() {}

  /** {@code -S}: no site-packages in the image to look for. {@code -m}: the main module comes byte-compiled too. */
  static String python(String base) {
    return "FROM " + base + "\n"
        + "COPY app/ /app/\n"
        + "RUN [\"/usr/bin/python3\", \"-m\", \"compileall\", \"-q\", \"--invalidation-mode\", \"unchecked-hash\", \"/app\"]\n"
        + "WORKDIR /app\n" + TAIL
        + "ENTRYPOINT [\"/usr/bin/python3\", \"-u\", \"-B\", \"-s\", \"-S\", \"-m\", \"main\"]\n";
  }

  static String node(String base) {
    return "FROM " + base + "\n"
        + "COPY app/ /app/\n"
        + "WORKDIR /app\n"
        + "ENV NODE_ENV=production\n" + TAIL
        + "ENTRYPOINT [\"/usr/bin/node\", \"/app/main.js\"]\n";
  }

  /** Serial collector and first compiler only: on a small container they start sooner and hold less. */
  static String java(String base, String mainClass) {
    return "FROM " + base + "\n"
        + "COPY app/ /app/\n"
        + "WORKDIR /app\n" + TAIL
        + "ENTRYPOINT [\"/opt/java/bin/java\", \"-XX:+UseSerialGC\", \"-XX:TieredStopAtLevel=1\", \"-XX:-UsePerfData\", "
        + "\"-XX:MaxRAMPercentage=50\", \"-Xshare:auto\", \"-cp\", \"/app/app.jar:/app/lib/*\", \"" + mainClass + "\"]\n";
  }
}

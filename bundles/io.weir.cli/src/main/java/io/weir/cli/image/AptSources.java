package io.weir.cli.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The package sources of this machine that belong to its own Debian release: the mirror its owner chose, and nobody's
 * third-party repository, whose packages of the same name would change what an image holds.
 *
 * @param lines entries in the one-line style
 * @param stanzas entries in the deb822 style
 */
record AptSources(List<String> lines, List<String> stanzas) {

  static AptSources of(Path etcApt, String suite) throws IOException {
    List<Path> files = new ArrayList<>(List.of(etcApt.resolve("sources.list")));
    if (Files.isDirectory(etcApt.resolve("sources.list.d"))) {
      try (Stream<Path> more = Files.list(etcApt.resolve("sources.list.d"))) {
        more.sorted().forEach(files::add);
      }
    }
    List<String> lines = new ArrayList<>();
    List<String> stanzas = new ArrayList<>();
    for (Path file : files) {
      if (!Files.isRegularFile(file)) {
        continue;
      }
      if (file.toString().endsWith(".sources")) {
        stanzas.addAll(stanzas(Files.readString(file), suite));
      } else if (file.toString().endsWith(".list")) {
        lines.addAll(lines(Files.readString(file), suite));
      }
    }
    return new AptSources(lines, stanzas);
  }

  boolean isEmpty() {
    return lines.isEmpty() && stanzas.isEmpty();
  }

  /** Writes them where mmdebstrap can read them; it takes each file as a mirror. */
  List<Path> writeTo(Path folder) throws IOException {
    List<Path> written = new ArrayList<>();
    if (!lines.isEmpty()) {
      written.add(Files.write(folder.resolve("weir.list"), lines));
    }
    if (!stanzas.isEmpty()) {
      written.add(Files.writeString(folder.resolve("weir.sources"), String.join("\n", stanzas)));
    }
    return written;
  }

  static List<String> lines(String text, String suite) {
    return text.lines().map(String::strip).filter(line -> line.startsWith("deb ") || line.startsWith("deb\t"))
        .filter(line -> {
          String[] words = line.replaceFirst("\\[[^]]*]", "").trim().split("\\s+");
          return words.length > 3 && belongs(words[2], suite);
        }).toList();
  }

  static List<String> stanzas(String text, String suite) {
    List<String> kept = new ArrayList<>();
    for (String stanza : text.split("\\n\\s*\\n")) {
      List<String> fields = stanza.lines().filter(line -> !line.startsWith("#") && !line.isBlank()).toList();
      if (!has(fields, "types", "deb") || has(fields, "enabled", "no")) {
        continue;
      }
      List<String> suites = values(fields, "suites").stream().filter(s -> belongs(s, suite)).toList();
      if (!suites.isEmpty()) {
        kept.add(fields.stream()
            .map(line -> is(line, "suites") ? "Suites: " + String.join(" ", suites) : is(line, "types") ? "Types: deb" : line)
            .collect(Collectors.joining("\n", "", "\n")));
      }
    }
    return kept;
  }

  private static boolean belongs(String candidate, String suite) {
    return candidate.equals(suite) || candidate.equals(suite + "-updates") || candidate.equals(suite + "-security");
  }

  private static boolean is(String line, String field) {
    return line.regionMatches(true, 0, field + ":", 0, field.length() + 1);
  }

  private static List<String> values(List<String> fields, String field) {
    return fields.stream().filter(line -> is(line, field))
        .flatMap(line -> Stream.of(line.substring(field.length() + 1).trim().split("\\s+"))).toList();
  }

  private static boolean has(List<String> fields, String field, String value) {
    return values(fields, field).contains(value);
  }
}

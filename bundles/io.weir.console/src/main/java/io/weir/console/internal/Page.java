package io.weir.console.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The files of the page, held in memory: all that can be asked for, so a path never reaches a file system. */
final class Page {
  static final List<String> FILES = List.of("index.html", "console.css", "icon.svg", "main.js", "api.js", "dom.js",
      "format.js", "gateway.js", "functions.js", "detail.js", "kernel.js", "events.js");
  private static final Map<String, String> TYPES = Map.of("html", "text/html;charset=utf-8", "css",
      "text/css;charset=utf-8", "js", "text/javascript;charset=utf-8", "svg", "image/svg+xml");

  /** @param tag its ETag: what it is made of, so that a new Weir is seen at once and an old one is not sent again */
  record File(String type, byte[] bytes, String tag) {}

  private final Map<String, File> files = new LinkedHashMap<>();

  Page() {
    FILES.forEach(name -> files.put(name, read(name)));
  }

  /** @param path below the page's own, without the first slash; empty for the page itself */
  Optional<File> file(String path) {
    return Optional.ofNullable(files.get(path.isEmpty() ? "index.html" : path));
  }

  private static File read(String name) {
    try (InputStream in = Page.class.getResourceAsStream("page/" + name)) {
      if (in == null) {
        throw new IllegalStateException("page/" + name + " is missing from the bundle");
      }
      byte[] bytes = in.readAllBytes();
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return new File(TYPES.get(name.substring(name.lastIndexOf('.') + 1)), bytes,
          '"' + HexFormat.of().formatHex(digest, 0, 8) + '"');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java lacks SHA-256", e);
    }
  }
}

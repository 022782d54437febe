package io.weir.function;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Where the program of a function comes from. */
public sealed interface Source {

  /**
   * An image that serves HTTP by itself.
   *
   * @param reference image reference as Podman understands it, for example {@code localhost/thermo-alert:1}
   */
  record Image(String reference) implements Source {
    // The grammar of distribution references, without its length rules (Podman checks those).
    private static final Pattern REFERENCE = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9._-]*(:[0-9]+)?"
        + "(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:\\w[\\w.-]{0,127})?(@sha256:[a-f0-9]{64})?");

    /** @throws InvalidFunction if the text is no image reference */
    public Image {
      if (!REFERENCE.matcher(reference).matches()) {
        throw new InvalidFunction("image", reference, "an image reference, for example localhost/thermo-alert:1");
      }
    }

    @Override
    public String toString() {
      return reference;
    }
  }

  /**
   * A handler that a preloaded runner of its language loads on first use.
   *
   * @param language the runner's language
   * @param file name of the file, for messages and stack traces, for example {@code thermo.py}
   * @param code its text, at most {@value #MAX_BYTES} bytes in UTF-8
   */
  record Handler(Language language, String file, String code) implements Source {
    public static final int MAX_BYTES = 256 << 10;
    private static final Pattern FILE = Pattern.compile("[A-Za-z_][A-Za-z0-9_-]{0,63}\\.[a-z]{1,8}");

    /** @throws InvalidFunction if the file's name does not fit the language, or the code is empty or too long */
    public Handler {
      if (!FILE.matcher(file).matches() || !file.endsWith(language.suffix())) {
        throw new InvalidFunction("handler", file, "a plain file name that ends in " + language.suffix()
            + ", for example handler" + language.suffix());
      }
      if (code.isBlank()) {
        throw new InvalidFunction("handler", "handler: " + file + " is empty");
      }
      if (code.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
        throw new InvalidFunction("handler", "handler: " + file + " is longer than " + MAX_BYTES
            + " bytes; build an image for it instead");
      }
    }

    @Override
    public String toString() {
      return language.label() + " " + file;
    }
  }
}

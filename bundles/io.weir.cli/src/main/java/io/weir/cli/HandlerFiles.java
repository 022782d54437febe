package io.weir.cli;

import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The files beside a weir.yaml that it may mean by {@code handler:}. The gateway reads the YAML; here it is enough to send
 * no file too few, and one too many does no harm.
 */
final class HandlerFiles {
  static final int MAX_BYTES = 256 << 10;
  private static final Pattern HANDLER =
      Pattern.compile("(?m)(?:^|[\\s{,])[\"']?handler[\"']?\\s*:\\s*[\"']?([A-Za-z_][A-Za-z0-9_-]*\\.[a-z]+)");

  private HandlerFiles() {}

  /** @throws Failure if a file cannot be a handler */
  static Map<String, String> beside(Path file, String yaml) {
    Map<String, String> files = new TreeMap<>();
    Matcher matcher = HANDLER.matcher(yaml);
    while (matcher.find()) {
      String name = matcher.group(1);
      Path handler = file.resolveSibling(name);
      if (Files.isRegularFile(handler)) {
        files.put(name, text(handler, Verb.read(handler, MAX_BYTES)));
      }
    }
    return files;
  }

  static String text(Path file, byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Failure(ExitCode.FAILED, file + " is not UTF-8; save it as UTF-8", e);
    }
  }
}

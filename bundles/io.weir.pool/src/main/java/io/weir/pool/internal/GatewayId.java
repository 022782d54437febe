package io.weir.pool.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.HexFormat;

/** Twelve hex digits that tell this gateway's containers from those of others on one engine. */
final class GatewayId {
  private GatewayId() {}

  /** Reads {@code gateway.id} in the data folder; makes it if it is missing. */
  static String in(Path data) {
    Path file = data.resolve("gateway.id");
    try {
      if (!Files.exists(file)) {
        create(file);
      }
      String id = Files.readString(file, StandardCharsets.US_ASCII).strip();
      if (!id.matches("[0-9a-f]{12}")) {
        throw new IllegalStateException(file + " must hold 12 hex digits but holds '" + id + "'; delete it for a new one");
      }
      return id;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read or write " + file + ": " + e.getMessage(), e);
    }
  }

  /** Others may create it at the same moment: the first one wins, and nobody sees a half-written file. */
  private static void create(Path file) throws IOException {
    byte[] random = new byte[6];
    new SecureRandom().nextBytes(random);
    Files.createDirectories(file.getParent());
    Path temporary = Files.createTempFile(file.getParent(), "gateway", ".id");
    Files.writeString(temporary, HexFormat.of().formatHex(random) + "\n", StandardCharsets.US_ASCII);
    try {
      Files.createLink(file, temporary);
    } catch (FileAlreadyExistsException e) {
      // somebody else was first: theirs is the id
    } catch (UnsupportedOperationException e) {
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
      return;
    }
    Files.delete(temporary);
  }
}

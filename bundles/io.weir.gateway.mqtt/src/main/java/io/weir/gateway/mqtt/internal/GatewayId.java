package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * Who this gateway is towards brokers and engines: twelve lower-case hex digits in {@code gateway.id}, made by whoever
 * comes first.
 */
final class GatewayId {
  private static final int BYTES = 6;

  private GatewayId() {}

  static String in(Path data) throws IOException {
    Path file = data.resolve("gateway.id");
    if (!Files.exists(file)) {
      Files.createDirectories(data);
      byte[] random = new byte[BYTES];
      new SecureRandom().nextBytes(random);
      Path part = Files.createTempFile(data, "gateway.id", ".part");
      try {
        Files.writeString(part, HexFormat.of().formatHex(random) + "\n");
        Files.createLink(file, part);  // whole or not at all, and never over another's
      } catch (FileAlreadyExistsException e) {
        // somebody else was quicker
      } finally {
        Files.delete(part);
      }
    }
    String id = Files.readString(file).strip();
    if (!id.matches("[0-9a-f]{12}")) {
      throw new IOException(file + " does not hold twelve hex digits; delete it to get a new identity");
    }
    return id;
  }
}

package io.weir.state.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.function.FunctionName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * By what a function shows who it is: its name, and what only the gateway can make of it. The same over restarts, because
 * instances outlive the gateway.
 */
final class Tokens {
  private static final int BYTES = 32;

  private final SecretKeySpec key;

  Tokens(byte[] secret) {
    this.key = new SecretKeySpec(secret, "HmacSHA256");
  }

  /** Those of the secret in a file, which is made if it is not there; a damaged one is replaced. */
  static Tokens keptIn(Path file) {
    try {
      if (!Files.exists(file) || Files.size(file) != BYTES) {
        make(file);
      }
      return new Tokens(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read or write " + file + ": " + e.getMessage(), e);
    }
  }

  private static void make(Path file) throws IOException {
    byte[] secret = new byte[BYTES];
    new SecureRandom().nextBytes(secret);
    Files.createDirectories(file.getParent());
    Path part = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part",
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.write(part, secret);
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  String of(FunctionName function) {
    return function.value() + '.' + Base64.getUrlEncoder().withoutPadding().encodeToString(sign(function.value()));
  }

  /** Whose token this is. */
  Optional<FunctionName> function(String token) {
    int dot = token.lastIndexOf('.');
    if (dot <= 0) {
      return Optional.empty();
    }
    try {
      byte[] signature = Base64.getUrlDecoder().decode(token.substring(dot + 1));
      return MessageDigest.isEqual(signature, sign(token.substring(0, dot)))
          ? Optional.of(new FunctionName(token.substring(0, dot))) : Optional.empty();
    } catch (RuntimeException e) {
      return Optional.empty();
    }
  }

  private byte[] sign(String text) {
    try {
      Mac mac = Mac.getInstance(key.getAlgorithm());
      mac.init(key);
      return mac.doFinal(text.getBytes(UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}

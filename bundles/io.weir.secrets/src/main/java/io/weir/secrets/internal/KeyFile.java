package io.weir.secrets.internal;

import io.weir.secret.Secrets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Set;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * AES-256-GCM with a key from a file that only the gateway's user can read; it is made on first use. A value looks like
 * <code>{weir}BASE64</code>.
 */
final class KeyFile implements Secrets {
  private static final Logger log = LoggerFactory.getLogger(KeyFile.class);
  static final String PREFIX = "{weir}";
  private static final Set<PosixFilePermission> OWNER_ONLY =
      EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
  private static final int KEY_BYTES = 32;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;

  private final Path file;
  private final SecureRandom random = new SecureRandom();

  KeyFile(Path file) {
    this.file = file;
  }

  @Override
  public String reveal(String stored) {
    if (!stored.startsWith(PREFIX)) {
      return stored;
    }
    try {
      byte[] bytes = Base64.getDecoder().decode(stored.substring(PREFIX.length()));
      Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
      cipher.init(Cipher.DECRYPT_MODE, key(), new GCMParameterSpec(TAG_BITS, bytes, 0, NONCE_BYTES));
      return new String(cipher.doFinal(bytes, NONCE_BYTES, bytes.length - NONCE_BYTES), StandardCharsets.UTF_8);
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IllegalArgumentException("a stored password was concealed with another key than " + file
          + ", or is damaged; write it anew, in clear, and the gateway conceals it", e);
    }
  }

  @Override
  public String conceal(String clear) {
    try {
      byte[] nonce = new byte[NONCE_BYTES];
      random.nextBytes(nonce);
      Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
      cipher.init(Cipher.ENCRYPT_MODE, key(), new GCMParameterSpec(TAG_BITS, nonce));
      byte[] text = cipher.doFinal(clear.getBytes(StandardCharsets.UTF_8));
      return PREFIX + Base64.getEncoder().encodeToString(
          ByteBuffer.allocate(nonce.length + text.length).put(nonce).put(text).array());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-GCM is missing from this Java", e);
    }
  }

  private synchronized SecretKeySpec key() {
    try {
      return new SecretKeySpec(read(), "AES");
    } catch (IOException e) {
      throw new UncheckedIOException("the key of stored passwords cannot be kept in " + file + ": " + e.getMessage(), e);
    }
  }

  private byte[] read() throws IOException {
    try {
      byte[] key = Files.readAllBytes(file);
      if (key.length != KEY_BYTES) {
        throw new IOException("it has " + key.length + " bytes instead of " + KEY_BYTES
            + "; restore it, or delete it and write the passwords anew");
      }
      if (!Files.getPosixFilePermissions(file).equals(OWNER_ONLY)) {
        log.warn("{} could be read by others, and so could the passwords it protects; it is closed to them now", file);
        Files.setPosixFilePermissions(file, OWNER_ONLY);
      }
      return key;
    } catch (NoSuchFileException e) {
      return make();
    }
  }

  /** Whole or not at all: half a key would make every password unreadable. */
  private byte[] make() throws IOException {
    byte[] key = new byte[KEY_BYTES];
    random.nextBytes(key);
    Files.createDirectories(file.toAbsolutePath().getParent());
    Path next = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(next);
    Files.createFile(next, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    Files.write(next, key, StandardOpenOption.SYNC);
    try {
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(next, file);
    }
    return key;
  }
}

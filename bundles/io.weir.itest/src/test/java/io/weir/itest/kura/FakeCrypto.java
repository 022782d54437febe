package io.weir.itest.kura;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.eclipse.kura.KuraErrorCode;
import org.eclipse.kura.KuraException;
import org.eclipse.kura.crypto.CryptoService;

/** Encrypts so that a test can tell what is encrypted; and, as Kura does, never what is encrypted already. */
final class FakeCrypto implements CryptoService {
  static final String PREFIX = "encrypted:";

  @Override
  public char[] encryptAes(char[] value) {
    String text = new String(value);
    return (text.startsWith(PREFIX) ? text : PREFIX + Base64.getEncoder().encodeToString(
        text.getBytes(StandardCharsets.UTF_8))).toCharArray();
  }

  @Override
  public char[] decryptAes(char[] encryptedValue) throws KuraException {
    if (!new String(encryptedValue).startsWith(PREFIX)) {
      throw new KuraException(KuraErrorCode.DECODER_ERROR);
    }
    return decrypt(encryptedValue);
  }

  char[] decrypt(char[] encrypted) {
    return new String(Base64.getDecoder().decode(new String(encrypted).substring(PREFIX.length())),
        StandardCharsets.UTF_8).toCharArray();
  }

  @Override
  @Deprecated
  public String encryptAes(String value) {
    throw new UnsupportedOperationException();
  }

  @Override
  @Deprecated
  public String decryptAes(String encryptedValue) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String hash(String s, String algorithm) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String encodeBase64(String stringValue) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String decodeBase64(String encodedValue) {
    throw new UnsupportedOperationException();
  }

  @Override
  public char[] getKeyStorePassword(String keyStorePath) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void setKeyStorePassword(String keyStorePath, char[] password) {
    throw new UnsupportedOperationException();
  }

  @Override
  @Deprecated
  public void setKeyStorePassword(String keyStorePath, String password) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean isFrameworkSecure() {
    return false;
  }
}

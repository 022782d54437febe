package io.weir.weirpkg;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Ed25519 (RFC 8032) over a manifest's bytes, with keys in the PEM files that OpenSSL writes. */
public final class Signing {
  static final int SIGNATURE_BYTES = 64;
  private static final String ALGORITHM = "Ed25519";
  private static final Pattern PEM = Pattern.compile("-----BEGIN ([A-Z ]{1,40})-----([A-Za-z0-9+/=\\s]{1,4096})-----END \\1-----");

  private Signing() {}

  public static byte[] sign(byte[] manifest, PrivateKey key) {
    try {
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initSign(key);
      signature.update(manifest);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("the key cannot sign: " + e.getMessage(), e);
    }
  }

  static boolean verifies(byte[] manifest, byte[] signed, PublicKey key) {
    try {
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initVerify(key);
      signature.update(manifest);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;   // a signature that cannot even be read is none
    }
  }

  public static KeyPair newKey() {
    try {
      return KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java from 15 on has Ed25519", e);
    }
  }

  /** @throws IllegalArgumentException if the text is no such key, with what to do */
  public static PrivateKey privateKey(String pem) {
    try {
      return KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(decoded(pem, "PRIVATE KEY")));
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("this is no Ed25519 key; make one with 'weir package keygen' or 'openssl genpkey "
          + "-algorithm ed25519'", e);
    }
  }

  /** @throws IllegalArgumentException if the text is no such key, with what to do */
  public static PublicKey publicKey(String pem) {
    try {
      return KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(decoded(pem, "PUBLIC KEY")));
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("this is no Ed25519 public key; write one with 'openssl pkey -in KEY -pubout'", e);
    }
  }

  public static String pem(PrivateKey key) {
    return pem("PRIVATE KEY", key.getEncoded());
  }

  public static String pem(PublicKey key) {
    return pem("PUBLIC KEY", key.getEncoded());
  }

  private static String pem(String what, byte[] bytes) {
    return "-----BEGIN " + what + "-----\n" + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes)
        + "\n-----END " + what + "-----\n";
  }

  private static byte[] decoded(String pem, String what) {
    Matcher matcher = PEM.matcher(pem);
    if (!matcher.find() || !matcher.group(1).equals(what)) {
      throw new IllegalArgumentException("there must be one '-----BEGIN " + what + "-----' in it"
          + (pem.contains("PRIVATE KEY") && what.startsWith("PUBLIC") ? ", and this is a private key; keep it off the gateway" : ""));
    }
    if (matcher.find()) {
      throw new IllegalArgumentException("there is more than one key in it; use a file for each");
    }
    matcher = PEM.matcher(pem);
    matcher.find();
    try {
      return Base64.getMimeDecoder().decode(matcher.group(2).getBytes(StandardCharsets.US_ASCII));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("its base64 is damaged", e);
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}

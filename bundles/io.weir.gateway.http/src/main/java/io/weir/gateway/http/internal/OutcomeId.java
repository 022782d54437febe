package io.weir.gateway.http.internal;

import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Pattern;

/** By which the outcome of a call is asked for; does not tell the key that the caller chose. */
record OutcomeId(FunctionName function, String token) {
  private static final int BYTES = 16;
  private static final Pattern FORM = Pattern.compile("([a-z0-9-]{1,63})\\.([A-Za-z0-9_-]{22})");
  private static final SecureRandom RANDOM = new SecureRandom();

  static OutcomeId ofKey(FunctionName function, String key) {
    return new OutcomeId(function, hash("key", key.getBytes(StandardCharsets.UTF_8)));
  }

  static OutcomeId random(FunctionName function) {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return new OutcomeId(function, text(bytes));
  }

  static Optional<OutcomeId> of(String text) {
    var matcher = FORM.matcher(text);
    try {
      return matcher.matches() ? Optional.of(new OutcomeId(new FunctionName(matcher.group(1)), matcher.group(2)))
          : Optional.empty();
    } catch (InvalidFunction e) {
      return Optional.empty();
    }
  }

  /** By which the journal knows the event. */
  String key() {
    return "http " + token;
  }

  String path() {
    return Router.BASE + "/outcomes/" + this;
  }

  @Override
  public String toString() {
    return function + "." + token;
  }

  /** The same for what is the same, in 22 characters. */
  static String hash(String first, byte[]... more) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(first.getBytes(StandardCharsets.UTF_8));
      for (byte[] each : more) {
        digest.update((byte) 0);
        digest.update(each);
      }
      return text(Arrays.copyOf(digest.digest(), BYTES));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static String text(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}

package io.weir.gateway.http.internal;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Bodies in JSON documents: as text where they are text, else in base 64. */
final class Bodies {
  static final String TEXT = "body";
  static final String BASE64 = "bodyBase64";

  private Bodies() {}

  /** Adds both keys; one of them is null. */
  static void put(Map<String, Object> document, byte[] body) {
    String text = text(body);
    document.putAll(Json.object(TEXT, text, BASE64, text == null ? Base64.getEncoder().encodeToString(body) : null));
  }

  private static @Nullable String text(byte[] body) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
    return text.chars().anyMatch(c -> c < ' ' && c != '\t' && c != '\n' && c != '\r') ? null : text;
  }

  /** The body that a document names; null if it names none. */
  static byte @Nullable [] of(Map<String, Object> document) {
    Object text = document.get(TEXT);
    Object base64 = document.get(BASE64);
    if (text != null && base64 != null || text != null && !(text instanceof String)
        || base64 != null && !(base64 instanceof String)) {
      throw new Problem(400, "bad-json", "give either " + TEXT + " or " + BASE64 + ", as a text");
    }
    if (text instanceof String plain) {
      return plain.getBytes(StandardCharsets.UTF_8);
    }
    try {
      return base64 instanceof String encoded ? Base64.getDecoder().decode(encoded) : null;
    } catch (IllegalArgumentException e) {
      throw new Problem(400, "bad-json", BASE64 + " is not base 64: " + e.getMessage());
    }
  }
}

package io.weir.gateway.http.internal;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Keys of calls that are to take effect once (draft-ietf-httpapi-idempotency-key-header). */
final class IdempotencyKeys {
  static final String FIELD = "Idempotency-Key";
  private static final int MAX_LENGTH = 255;

  private IdempotencyKeys() {}

  /**
   * The key, without the quotes that the draft wants around it and that many clients leave away.
   *
   * @throws Problem 400 if it is none
   */
  static Optional<String> of(HttpServletRequest request) {
    List<String> fields = Collections.list(request.getHeaders(FIELD));
    if (fields.isEmpty()) {
      return Optional.empty();
    }
    String text = fields.get(0).strip();
    Optional<String> key = fields.size() > 1 ? Optional.empty() : text.startsWith("\"") ? quoted(text) : bare(text);
    return Optional.of(key.filter(it -> !it.isEmpty() && it.length() <= MAX_LENGTH).orElseThrow(() ->
        new Problem(400, "bad-idempotency-key", FIELD + " must be there once, with 1 to " + MAX_LENGTH
            + " printable ASCII characters, such as \"8e03978e-40d5-43e8-bc93-6894a57f9324\"")));
  }

  private static Optional<String> quoted(String text) {
    StringBuilder key = new StringBuilder();
    int at = 1;
    for (; at < text.length() && text.charAt(at) != '"'; at++) {
      if (text.charAt(at) == '\\') {
        at++;
      }
      if (at == text.length() || text.charAt(at) < ' ' || text.charAt(at) > '~') {
        return Optional.empty();
      }
      key.append(text.charAt(at));
    }
    return at == text.length() - 1 ? Optional.of(key.toString()) : Optional.empty();
  }

  private static Optional<String> bare(String text) {
    return text.chars().allMatch(c -> c > ' ' && c <= '~' && c != '"' && c != ',') ? Optional.of(text) : Optional.empty();
  }
}

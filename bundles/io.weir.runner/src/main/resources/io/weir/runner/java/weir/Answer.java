package weir;

import java.util.Map;

/**
 * An answer with a status of its own.
 *
 * @param status 200 to 599
 * @param body as a handler may return it; null for none
 * @param headers header fields; a Content-Type here is used instead of the usual one
 */
public record Answer(int status, Object body, Map<String, String> headers) {
  public Answer {
    if (status < 200 || status > 599) {
      throw new IllegalArgumentException("status " + status + " is none; use 200 to 599");
    }
    headers = Map.copyOf(headers);
  }

  public Answer(int status, Object body) {
    this(status, body, Map.of());
  }
}

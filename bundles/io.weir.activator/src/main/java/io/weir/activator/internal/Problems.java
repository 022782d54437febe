package io.weir.activator.internal;

import io.weir.engine.LeaseRefused;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Answers of the gateway itself, as the front door gives them: RFC 9457 problem documents. */
final class Problems {
  private Problems() {}

  /**
   * One of them.
   *
   * @param retryAfter zero if there is no use in asking again
   */
  record Problem(int status, String code, String detail, Duration retryAfter) {
    boolean isRefusal() {
      return status == 503 || status == 404;
    }

    /** A whole answer, which also says that the connection ends. */
    byte[] bytes() {
      String body = "{\"type\":\"urn:weir:problem:" + code + "\",\"title\":\"" + title() + "\",\"status\":" + status
          + ",\"detail\":\"" + escaped(detail) + "\",\"code\":\"" + code + "\"}";
      byte[] text = body.getBytes(StandardCharsets.UTF_8);
      String again = retryAfter.isZero() ? ""
          : "Retry-After: " + Math.max(1, (retryAfter.toMillis() + 999) / 1000) + "\r\n";
      byte[] head = ("HTTP/1.1 " + status + " " + reason() + "\r\nContent-Type: application/problem+json\r\n" + again
          + "Content-Length: " + text.length + "\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
      byte[] whole = java.util.Arrays.copyOf(head, head.length + text.length);
      System.arraycopy(text, 0, whole, head.length, text.length);
      return whole;
    }

    private String title() {
      return Character.toUpperCase(code.charAt(0)) + code.substring(1).replace('-', ' ');
    }

    private String reason() {
      return switch (status) {
        case 404 -> "Not Found";
        case 408 -> "Request Timeout";
        case 502 -> "Bad Gateway";
        case 503 -> "Service Unavailable";
        default -> "Gateway Timeout";
      };
    }

    private static String escaped(String text) {
      StringBuilder escaped = new StringBuilder();
      for (char each : text.toCharArray()) {
        if (each < ' ') {
          escaped.append(String.format("\\u%04x", (int) each));
        } else {
          escaped.append(each == '"' || each == '\\' ? "\\" : "").append(each);
        }
      }
      return escaped.toString();
    }
  }

  static Problem of(int status, String code, String detail) {
    return new Problem(status, code, detail, Duration.ZERO);
  }

  static Problem later(String code, String detail) {
    return new Problem(503, code, detail, Duration.ofSeconds(1));
  }

  static Problem of(LeaseRefused refused) {
    String code = refused.code().label();
    String detail = String.valueOf(refused.getMessage());
    Duration again = refused.retryAfter().isZero() ? Duration.ofSeconds(1) : refused.retryAfter();
    return switch (refused.code()) {
      case UNKNOWN_FUNCTION -> of(404, code, detail);
      case QUEUE_FULL, OUT_OF_MEMORY, STOPPING -> new Problem(503, code, detail, again);
      case ENGINE_UNAVAILABLE -> new Problem(503, code, detail, Duration.ofSeconds(5));
      case WAITED_TOO_LONG -> new Problem(504, code, detail, again);
      case NO_SUCH_IMAGE, START_FAILED, NEVER_LISTENED -> new Problem(502, code, detail, again);
    };
  }
}

package io.weir.runner.internal;

import io.weir.function.Source;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Speaks with a runner that has no handler yet: one request, one connection. */
final class RunnerClient {
  private static final int CONNECT_MILLIS = 1000;
  private static final int MAX_ANSWER = 64 << 10;

  private RunnerClient() {}

  /** Has the handler loaded; returns what the language says against it, or nothing. */
  static Optional<String> load(InetSocketAddress runner, Source.Handler handler, Map<String, String> environment,
      Duration timeout) throws IOException {
    StringBuilder body = handler(handler).append(",\"env\":{");
    environment.forEach((key, value) -> {
      body.append(body.charAt(body.length() - 1) == '{' ? "" : ",");
      quote(body, key).append(':');
      quote(body, value);
    });
    return post(runner, "/.weir/load", body.append("}}").toString(), timeout);
  }

  /** Has the handler parsed, not run; returns what the language says against it, or nothing. */
  static Optional<String> check(InetSocketAddress runner, Source.Handler handler, Duration timeout) throws IOException {
    return post(runner, "/.weir/check", handler(handler).append('}').toString(), timeout);
  }

  private static StringBuilder handler(Source.Handler handler) {
    StringBuilder body = new StringBuilder(handler.code().length() + 256).append("{\"file\":");
    quote(body, handler.file()).append(",\"code\":");
    return quote(body, handler.code());
  }

  static StringBuilder quote(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c == '\n') {
        json.append("\\n");
      } else if (c < ' ' || Character.isSurrogate(c)) {
        json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"');
  }

  /** @throws java.net.SocketTimeoutException if the runner is there and does not answer in time */
  private static Optional<String> post(InetSocketAddress runner, String path, String json, Duration timeout)
      throws IOException {
    try (Socket socket = new Socket()) {
      socket.setTcpNoDelay(true);
      socket.connect(runner, CONNECT_MILLIS);
      socket.setSoTimeout((int) Math.min(Integer.MAX_VALUE, timeout.toMillis()));
      byte[] body = json.getBytes(StandardCharsets.UTF_8);
      byte[] head = ("POST " + path + " HTTP/1.1\r\nHost: runner\r\nContent-Type: application/json\r\nContent-Length: "
          + body.length + "\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
      byte[] request = Arrays.copyOf(head, head.length + body.length);
      System.arraycopy(body, 0, request, head.length, body.length);
      socket.getOutputStream().write(request);
      return answer(socket.getInputStream());
    }
  }

  private static Optional<String> answer(InputStream in) throws IOException {
    byte[] buffer = new byte[MAX_ANSWER];
    int filled = 0;
    while (true) {
      int read = in.read(buffer, filled, buffer.length - filled);
      if (read <= 0) {
        throw new EOFException("the runner ended the connection without an answer");
      }
      filled += read;
      String text = new String(buffer, 0, filled, StandardCharsets.ISO_8859_1);
      int end = text.indexOf("\r\n\r\n");
      if (end < 0) {
        continue;
      }
      int status = status(text);
      if (status == 204) {
        return Optional.empty();
      }
      int length = length(text.substring(0, end));
      if (filled >= end + 4 + length || filled == buffer.length) {
        if (status != 422) {
          throw new IOException("the runner answered " + status);
        }
        return Optional.of(new String(buffer, end + 4, Math.min(length, filled - end - 4), StandardCharsets.UTF_8).strip());
      }
    }
  }

  private static int status(String answer) throws IOException {
    if (!answer.matches("(?s)HTTP/1\\.1 \\d{3}\\b.*")) {
      throw new IOException("the runner does not speak HTTP");
    }
    return Integer.parseInt(answer.substring(9, 12));
  }

  private static int length(String head) {
    return head.lines().filter(line -> line.toLowerCase(Locale.ROOT).startsWith("content-length:"))
        .mapToInt(line -> Integer.parseInt(line.substring(15).strip())).findFirst().orElse(0);
  }
}

package io.weir.cli;

import io.weir.cli.ui.Durations;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "invoke", description = "Call a function through the HTTP front door; exit code 1 unless it answers 2xx.")
final class InvokeCommand extends Verb {
  @Parameters(paramLabel = "NAME", description = "the function")
  private String name = "";

  @Option(names = {"-d", "--data"}, paramLabel = "TEXT|@FILE", description = "the body; @FILE reads it, @- from standard input")
  private @Nullable String data;

  @Option(names = "--path", paramLabel = "PATH", defaultValue = "/", description = "path and query on the function (default: /)")
  private String path = "/";

  @Option(names = {"-X", "--method"}, paramLabel = "METHOD", description = "default: POST with a body, else GET")
  private @Nullable String method;

  @Option(names = {"-H", "--header"}, paramLabel = "NAME:VALUE", description = "a request header; may be repeated")
  private List<String> headers = new ArrayList<>();

  @Option(names = {"-i", "--include"}, description = "show status and headers too")
  private boolean include;

  @Option(names = "--timeout", paramLabel = "TIME", defaultValue = "60s", description = "how long to wait (default: 60s)")
  private String timeout = "60s";

  @Override
  public Integer call() throws IOException {
    byte[] body = data == null ? new byte[0] : data(data);
    String verb = method != null ? method : data != null ? "POST" : "GET";
    long started = System.nanoTime();
    HttpResponse<InputStream> response = gateway().call(name, path, verb, parsedHeaders(),
        body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body), duration("--timeout", timeout));
    byte[] answer;
    try (InputStream stream = response.body()) {
      answer = stream.readAllBytes();
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "the answer broke off: " + e.getMessage(), e);
    }
    double millis = (System.nanoTime() - started) / 1e6;
    boolean ok = response.statusCode() / 100 == 2;
    if (terminal().json()) {
      terminal().result(result(response, answer, millis));
    } else {
      print(response, answer);
      terminal().note((ok ? "" : "weir: " + name + " answered ") + response.statusCode() + " in " + Durations.millis(millis));
    }
    return ok ? ExitCode.OK : ExitCode.FAILED;
  }

  private void print(HttpResponse<InputStream> response, byte[] answer) {
    if (include) {
      terminal().line("HTTP/1.1 " + response.statusCode());
      response.headers().map().forEach((key, values) -> values.forEach(value -> terminal().line(key + ": " + value)));
      terminal().line("");
    }
    System.out.flush();
    String text = text(answer);
    if (text == null) {
      System.out.write(answer, 0, answer.length);
      System.out.flush();
    } else if (!text.isEmpty()) {
      terminal().line(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
    }
  }

  private static Map<String, Object> result(HttpResponse<InputStream> response, byte[] answer, double millis) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("status", response.statusCode());
    Map<String, Object> named = new LinkedHashMap<>();
    response.headers().map().forEach((key, values) -> named.put(key, String.join(", ", values)));
    result.put("headers", named);
    String text = text(answer);
    result.put(text == null ? "bodyBase64" : "body", text == null ? Base64.getEncoder().encodeToString(answer) : text);
    result.put("tookMs", Math.round(millis * 10) / 10.0);
    return result;
  }

  private static @Nullable String text(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(java.nio.ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  private List<Map.Entry<String, String>> parsedHeaders() {
    List<Map.Entry<String, String>> parsed = new ArrayList<>();
    for (String header : headers) {
      int colon = header.indexOf(':');
      if (colon < 1) {
        throw misuse("--header '" + header + "' has no colon; write for example 'Content-Type: text/plain'");
      }
      parsed.add(Map.entry(header.substring(0, colon).strip(), header.substring(colon + 1).strip()));
    }
    if (data != null && parsed.stream().noneMatch(h -> h.getKey().equalsIgnoreCase("content-type"))) {
      boolean json = data.startsWith("{") || data.startsWith("[");
      parsed.add(Map.entry("Content-Type", json ? "application/json" : "text/plain; charset=utf-8"));
    }
    return parsed;
  }
}

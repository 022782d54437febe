package io.weir.cli.gateway;

import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The REST API of a gateway. Thread-safe. What the gateway refuses becomes a {@link Failure} with the words of its
 * problem document; a gateway that does not answer becomes one that says how to start it.
 */
public final class Gateway {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final HttpClient http;
  private final URI base;

  /** @throws Failure if the address is no http URL */
  public Gateway(String url) {
    URI uri;
    try {
      uri = URI.create(url.endsWith("/") ? url.substring(0, url.length() - 1) : url);
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.USAGE, "'" + url + "' is no URL; write for example http://127.0.0.1:8480", e);
    }
    if (uri.getHost() == null || !List.of("http", "https").contains(String.valueOf(uri.getScheme()))) {
      throw new Failure(ExitCode.USAGE, "'" + url + "' is no http URL; write for example http://127.0.0.1:8480");
    }
    this.base = uri;
    this.http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(3)).build();
  }

  public URI address() {
    return base;
  }

  public Map<String, Object> get(String path) {
    return json(send(request(path).timeout(PATIENCE).GET().build()));
  }

  /** The same for what may take longer than usual. */
  public Map<String, Object> get(String path, Duration patience) {
    return json(send(request(path).timeout(patience).GET().build()));
  }

  public String text(String path) {
    return string(send(request(path).timeout(PATIENCE).GET().build()));
  }

  /** Writes what the gateway sends to a file, and tells how much has come. */
  public void download(String path, Path file, Consumer<Integer> came) throws IOException {
    try (InputStream body = send(request(path).GET().build()).body();
        OutputStream out = Files.newOutputStream(file)) {
      new Counted(body, came).transferTo(out);
    }
  }

  public void delete(String path) {
    string(send(request(path).timeout(PATIENCE).DELETE().build()));
  }

  /** Deletes several things at once, for as long as the gateway takes, and tells what it answers. */
  public Map<String, Object> deleted(String path) {
    return json(send(request(path).DELETE().build()));
  }

  /** Posts a document and reads the answer, for as long as the gateway takes. */
  public Map<String, Object> post(String path, String contentType, BodyPublisher body) {
    return json(send(request(path).header("Content-Type", contentType).POST(body).build()));
  }

  /** Puts a document, and waits for as long as the gateway takes. */
  public void put(String path, String contentType, BodyPublisher body) {
    string(send(request(path).header("Content-Type", contentType).PUT(body).build()));
  }

  /**
   * Posts a document whose answer is a stream of JSON lines, and returns the last of them.
   *
   * @throws Failure if the stream reports an error, or ends without a result
   */
  public Map<String, Object> postForLines(String path, String contentType, BodyPublisher body,
      Consumer<Map<String, Object>> line) {
    HttpResponse<InputStream> response = send(request(path).header("Content-Type", contentType).POST(body).build());
    Map<String, Object> last = Map.of();
    try (var reader = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        if (!text.isBlank()) {
          last = parse(text);
          if (last.containsKey("error")) {
            throw new Failure(ExitCode.FAILED, Json.text(last, "error"));
          }
          line.accept(last);
        }
      }
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, base + " broke the connection: " + e.getMessage(), e);
    }
    if (!last.containsKey("reference")) {
      throw new Failure(ExitCode.FAILED, base + " ended its answer without a result; see the gateway's log");
    }
    return last;
  }

  /** A call to a function through the front door; every status is an answer here. */
  public HttpResponse<InputStream> call(String function, String path, String method, List<Map.Entry<String, String>> headers,
      BodyPublisher body, Duration timeout) {
    HttpRequest.Builder request;
    try {
      request = HttpRequest.newBuilder(base.resolve("/function/" + encode(function) + (path.startsWith("/") ? path : "/" + path)));
      headers.forEach(header -> request.header(header.getKey(), header.getValue()));
      request.method(method, body).timeout(timeout);
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
    }
    return exchange(request.build());
  }

  /** The events from now on, or first the recent ones. The caller closes it. */
  public EventStream events(boolean recent) {
    HttpRequest request = request("/events" + (recent ? "?recent=true" : "")).header("Accept", "text/event-stream").GET().build();
    return new EventStream(send(request).body());
  }

  /** Whether anything answers at the address, be it a gateway or not. */
  public boolean answers() {
    try {
      http.send(HttpRequest.newBuilder(base.resolve("/api/v1/status")).timeout(Duration.ofSeconds(3)).GET().build(),
          BodyHandlers.discarding());
      return true;
    } catch (HttpTimeoutException e) {
      return !(e instanceof java.net.http.HttpConnectTimeoutException);
    } catch (IOException e) {
      return !(e instanceof java.net.ConnectException);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  public static String encode(String part) {
    return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(base + "/api/v1" + path)).header("Accept", "application/json, */*;q=0.5");
  }

  private HttpResponse<InputStream> send(HttpRequest request) {
    HttpResponse<InputStream> response = exchange(request);
    if (response.statusCode() >= 400) {
      throw new Failure(ExitCode.REFUSED, problem(response.statusCode(), string(response)));
    }
    return response;
  }

  private HttpResponse<InputStream> exchange(HttpRequest request) {
    try {
      return http.send(request, BodyHandlers.ofInputStream());
    } catch (java.net.ConnectException | java.net.http.HttpConnectTimeoutException e) {
      throw new Failure(ExitCode.UNREACHABLE,
          "no gateway answers at " + base + "; start one with 'weir run', or name another with --url or WEIR_URL", e);
    } catch (HttpTimeoutException e) {
      throw new Failure(ExitCode.FAILED, request.method() + " " + request.uri() + " got no answer in time", e);
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, request.method() + " " + request.uri() + " failed: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private static Failure interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new Failure(ExitCode.FAILED, "interrupted", e);
  }

  /** What a problem document says, with the place in the source where it names one. */
  static String problem(int status, String body) {
    try {
      Map<String, Object> problem = Json.object(body);
      String detail = Json.text(problem, "detail");
      String text = detail.isEmpty() ? Json.text(problem, "title") : detail;
      String source = Json.text(problem, "source");
      String line = Json.text(problem, "line");
      if (!source.isEmpty() && !text.contains(source)) {
        text = source + (line.isEmpty() || line.equals("0") ? "" : ":" + line) + ": " + text;
      }
      return text.isEmpty() ? "the gateway answered " + status : text;
    } catch (IllegalArgumentException e) {
      String words = body.strip();
      return "the gateway answered " + status + (words.isEmpty() || words.startsWith("<") ? "" : ": " + words);
    }
  }

  private Map<String, Object> json(HttpResponse<InputStream> response) {
    String text = string(response);
    return text.isBlank() ? Map.of() : parse(text);
  }

  private Map<String, Object> parse(String text) {
    try {
      return Json.object(text);
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.FAILED, "what answers at " + base + " is no Weir gateway: " + e.getMessage(), e);
    }
  }

  private String string(HttpResponse<InputStream> response) {
    try (InputStream body = response.body()) {
      return new String(body.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, base + " broke the connection: " + e.getMessage(), e);
    }
  }

  /** A body with a known length that tells how much of it has left. */
  public static BodyPublisher body(InputStream stream, long length, Consumer<Integer> sent) {
    return BodyPublishers.fromPublisher(BodyPublishers.ofInputStream(() -> new Counted(stream, sent)), length);
  }

  public static BodyPublisher body(byte[] bytes, Consumer<Integer> sent) {
    return bytes.length == 0 ? BodyPublishers.noBody() : body(new ByteArrayInputStream(bytes), bytes.length, sent);
  }

  private static final class Counted extends java.io.FilterInputStream {
    private final Consumer<Integer> sent;

    Counted(InputStream in, Consumer<Integer> sent) {
      super(in);
      this.sent = sent;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = super.read(buffer, offset, length);
      if (n > 0) {
        sent.accept(n);
      }
      return n;
    }
  }
}

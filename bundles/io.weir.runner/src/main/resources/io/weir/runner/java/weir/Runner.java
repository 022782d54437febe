package weir;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Waits for a handler, loads it, then serves it over HTTP/1.1.
 *
 * <p>Until a handler is loaded only two requests are understood: POST /.weir/load and POST /.weir/check. Afterwards every
 * request is the function's own.
 */
public final class Runner {
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final List<String> OURS = List.of("content-length", "transfer-encoding", "connection");
  /** What handlers do most, so that neither the compiler nor the server does it for the first time when one is loaded. */
  private static final String REHEARSAL = """
      import java.time.Instant;
      import java.util.*;
      import java.util.stream.*;
      import weir.*;
      public class Rehearsal {
        record Reading(String topic, double value) {}
        private static final Map<String, List<Reading>> SEEN = new TreeMap<>();
        public static Object handle(Event event) throws Exception {
          Map<?, ?> json = (Map<?, ?>) event.json();
          Reading reading = new Reading(String.valueOf(event.subject()), ((Number) json.get("value")).doubleValue());
          SEEN.computeIfAbsent(reading.topic(), t -> new ArrayList<>()).add(reading);
          double mean = SEEN.values().stream().flatMap(List::stream).mapToDouble(Reading::value).average().orElse(0);
          String text = String.format("%s %.2f %s", event.text(), mean, Instant.EPOCH);
          return new Answer(200, Map.of("reading", reading, "text", text, "list", List.of(1, 2.5, true)));
        }
      }
      """;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicBoolean claimed = new AtomicBoolean();
  private volatile Handler handler;

  public static void main(String[] arguments) throws Exception {
    rehearse();
    new Runner().listen(new InetSocketAddress(Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"))));
  }

  private HttpServer listen(InetSocketAddress address) throws IOException {
    HttpServer server = HttpServer.create(address, 256);
    server.setExecutor(threads);
    server.createContext("/", this::serve);
    server.start();
    return server;
  }

  private static void rehearse() throws IOException, Handler.Refused {
    for (int i = 0; i < 5; i++) {
      Handler.of("Rehearsal.java", REHEARSAL, true);
    }
    Runner runner = new Runner();
    HttpServer server = runner.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    try {
      rehearse(server);
    } finally {
      server.stop(0);
      runner.threads.shutdown();
    }
    System.gc();   // gives back what the compiler took; this process may be frozen for long
  }

  private static void rehearse(HttpServer server) throws IOException {
    String code = Json.write(REHEARSAL);
    request(server, "/.weir/check", "{\"file\":\"Rehearsal.java\",\"code\":" + code + "}");
    request(server, "/.weir/load", "{\"file\":\"Rehearsal.java\",\"code\":" + code + ",\"env\":{}}");
    for (int i = 0; i < 20; i++) {
      request(server, "/a?b=c", "{\"value\": 1.5, \"more\": [1, \"\\u00e4\", null]}");
    }
  }

  private static void request(HttpServer server, String path, String body) throws IOException {
    try (Socket socket = new Socket(server.getAddress().getAddress(), server.getAddress().getPort())) {
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      OutputStream out = socket.getOutputStream();
      out.write(("POST " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " + bytes.length + "\r\n\r\n")
          .getBytes(StandardCharsets.US_ASCII));
      out.write(bytes);
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!answer.startsWith("HTTP/1.1 20")) {
        throw new IllegalStateException("rehearsal of " + path + ": " + answer);
      }
    }
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      Handler loaded = handler;
      Reply reply;
      try {
        reply = Reply.of(loaded == null ? command(exchange, body) : loaded.handle(event(exchange, body)));
      } catch (Throwable e) {
        System.err.print(Handler.trace(e, loaded == null ? "" : loaded.file()));
        System.err.flush();
        reply = Reply.of(new Answer(500, e + "\n"));
      }
      send(exchange, reply);
    }
  }

  private static Event event(HttpExchange exchange, byte[] body) {
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, String.join(", ", values)));
    String target = exchange.getRequestURI().toString();
    int at = target.indexOf('?');
    return new Event(exchange.getRequestMethod(), at < 0 ? target : target.substring(0, at),
        at < 0 ? "" : target.substring(at + 1), Collections.unmodifiableMap(headers), body);
  }

  private Object command(HttpExchange exchange, byte[] body) {
    String what = exchange.getRequestMethod() + " " + exchange.getRequestURI();
    try {
      if (what.equals("POST /.weir/check")) {
        Map<?, ?> asked = (Map<?, ?>) Json.parse(new String(body, StandardCharsets.UTF_8));
        Handler.of((String) asked.get("file"), (String) asked.get("code"), false);
        return null;
      }
      if (what.equals("POST /.weir/load") && claimed.compareAndSet(false, true)) {
        Map<?, ?> asked = (Map<?, ?>) Json.parse(new String(body, StandardCharsets.UTF_8));
        setEnvironment((Map<?, ?>) asked.get("env"));
        handler = Handler.of((String) asked.get("file"), (String) asked.get("code"), true);
        return null;
      }
    } catch (Handler.Refused e) {
      return new Answer(422, e.getMessage());
    }
    return new Answer(503, "no handler is loaded\n");
  }

  /** Java has no way to set a variable; System.getenv reads the map that is filled here (see --add-opens). */
  @SuppressWarnings("unchecked")
  private static void setEnvironment(Map<?, ?> variables) {
    if (variables.isEmpty()) {
      return;
    }
    try {
      Field inner = System.getenv().getClass().getDeclaredField("m");
      inner.setAccessible(true);
      ((Map<String, String>) inner.get(System.getenv())).putAll((Map<String, String>) variables);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java keeps its environment elsewhere", e);
    }
  }

  private static void send(HttpExchange exchange, Reply reply) throws IOException {
    reply.headers().forEach(exchange.getResponseHeaders()::set);
    boolean bodiless = reply.status() == 204 || reply.status() == 304;
    if (exchange.getRequestMethod().equals("HEAD") && !bodiless) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(reply.body().length));
      bodiless = true;
    }
    exchange.sendResponseHeaders(reply.status(), bodiless || reply.body().length == 0 ? -1 : reply.body().length);
    if (!bodiless) {
      exchange.getResponseBody().write(reply.body());
    }
  }

  /** What a handler returned, as it is sent. */
  private record Reply(int status, Map<String, String> headers, byte[] body) {

    static Reply of(Object result) {
      Answer answer = result instanceof Answer own ? own : new Answer(result == null ? 204 : 200, result);
      Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      Object body = answer.body();
      if (body != null) {
        headers.put("Content-Type", body instanceof String ? TEXT
            : body instanceof byte[] ? "application/octet-stream" : "application/json");
      }
      answer.headers().forEach((name, value) -> {
        if ((name + value).matches("(?s).*[\\r\\n].*")) {
          throw new IllegalArgumentException("header field " + name + " must not contain a line break");
        }
        if (!OURS.contains(name.toLowerCase(Locale.ROOT))) {
          headers.put(name, value);
        }
      });
      byte[] bytes = body == null ? new byte[0] : body instanceof byte[] own ? own
          : (body instanceof String text ? text : Json.write(body)).getBytes(StandardCharsets.UTF_8);
      return new Reply(answer.status(), headers, bytes);
    }
  }
}

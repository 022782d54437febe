import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** convert: answers a reading in another unit. From and to come from the query (?from=F&to=C), else the environment. */
public final class Main {
  private static final int MAX_BODY = 1024 * 1024;
  private static final String NUMBER = "(-?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?)";
  private static final Pattern BARE = Pattern.compile("\\s*" + NUMBER + "\\s*");
  private static final Pattern MEMBER = Pattern.compile("\"value\"\\s*:\\s*" + NUMBER + "\\s*[,}]");

  private final String from;
  private final String to;

  Main(String from, String to) {
    Units.convert(0, from, to);                    // a wrong environment fails the start, not every reading
    this.from = from;
    this.to = to;
  }

  record Answer(int status, String type, String body) {}

  Answer answer(String query, String body) {
    Map<String, String> options = options(query);
    Matcher number = BARE.matcher(body);
    if (!number.matches() && !(number = MEMBER.matcher(body)).find()) {
      return new Answer(400, "text/plain", "body holds no number; send 71.2 or {\"value\": 71.2}\n");
    }
    String target = options.getOrDefault("to", to);
    double value;
    try {
      value = Units.convert(Double.parseDouble(number.group(1)), options.getOrDefault("from", from), target);
    } catch (IllegalArgumentException e) {
      return new Answer(400, "text/plain", e.getMessage() + "\n");
    }
    if (!Double.isFinite(value)) {
      return new Answer(400, "text/plain", "the number is too large\n");
    }
    return new Answer(200, "application/json", "{\"value\":" + value + ",\"unit\":\"" + target + "\"}");
  }

  private static Map<String, String> options(String query) {
    Map<String, String> options = new HashMap<>();
    for (String pair : query == null ? new String[0] : query.split("&")) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        options.put(pair.substring(0, equals), URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
      }
    }
    return options;
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
      Answer answer;
      if (!exchange.getRequestMethod().equals("POST")) {
        answer = new Answer(200, "text/plain", "convert: POST readings to me\n");
      } else if (body.length > MAX_BODY) {
        answer = new Answer(413, "text/plain", "body larger than " + MAX_BODY + " bytes\n");
      } else {
        try {
          answer = answer(exchange.getRequestURI().getRawQuery(), new String(body, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {     // a malformed escape in the query
          answer = new Answer(400, "text/plain", e.getMessage() + "\n");
        }
      }
      byte[] reply = answer.body.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", answer.type);
      boolean head = exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(answer.status, head ? -1 : reply.length);
      if (!head) {
        exchange.getResponseBody().write(reply);
      }
    }
  }

  HttpServer serve(int port) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(port), 256);
    server.createContext("/", this::handle);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.start();
    return server;
  }

  public static void main(String[] args) throws IOException {
    System.setProperty("sun.net.httpserver.nodelay", "true");      // else every small answer waits 40 ms for an ACK
    Map<String, String> env = System.getenv();
    try {
      new Main(env.getOrDefault("FROM", "F"), env.getOrDefault("TO", "C"))
          .serve(Integer.parseInt(env.getOrDefault("PORT", "8080")));
    } catch (IllegalArgumentException e) {
      System.err.println("convert: " + e.getMessage());
      System.exit(1);
    }
  }
}

package io.weir.cli.gateway;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A gateway's REST API as far as a test tells it what to answer; remembers what it was asked. */
public final class FakeGateway implements AutoCloseable {
  public record Asked(String method, String path, Map<String, List<String>> headers, byte[] body) {
    public String text() {
      return new String(body, StandardCharsets.UTF_8);
    }
  }

  public record Answer(int status, String type, String body) {}

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, Answer> answers = new ConcurrentHashMap<>();
  private final List<Asked> asked = new CopyOnWriteArrayList<>();
  private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
  private final CountDownLatch followed = new CountDownLatch(1);

  public FakeGateway() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** @param request for example {@code GET /functions}, without the query */
  public FakeGateway answer(String request, int status, String json) {
    return answer(request, new Answer(status, status >= 400 ? "application/problem+json" : "application/json", json));
  }

  public FakeGateway answer(String request, Answer answer) {
    answers.put(request, answer);
    return this;
  }

  public List<Asked> asked() {
    return new ArrayList<>(asked);
  }

  public void event(String type, String data) {
    events.add("event: " + type + "\ndata: " + data + "\n\n");
  }

  /** Ends the stream of events; the next reader gets a new one. */
  public void endEvents() {
    events.add("");
  }

  public boolean awaitFollower() throws InterruptedException {
    return followed.await(10, TimeUnit.SECONDS);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath().replaceFirst("^/api/v1", "");
      asked.add(new Asked(exchange.getRequestMethod(), exchange.getRequestURI().toString(), exchange.getRequestHeaders(),
          exchange.getRequestBody().readAllBytes()));
      if (path.equals("/events")) {
        stream(exchange);
        return;
      }
      Answer answer = answers.getOrDefault(exchange.getRequestMethod() + " " + path,
          new Answer(404, "application/problem+json", "{\"title\":\"Not Found\",\"status\":404}"));
      byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", answer.type());
      exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private void stream(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.sendResponseHeaders(200, 0);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(": hello\n\n".getBytes(StandardCharsets.UTF_8));
      out.flush();
      followed.countDown();
      for (String event = events.take(); !event.isEmpty(); event = events.take()) {
        out.write(event.getBytes(StandardCharsets.UTF_8));
        out.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}

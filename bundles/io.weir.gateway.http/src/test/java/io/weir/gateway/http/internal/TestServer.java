package io.weir.gateway.http.internal;

import io.weir.function.FunctionName;
import io.weir.gateway.http.internal.FrontDoorServlet.Mounted;
import jakarta.servlet.Servlet;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import tools.jackson.jr.ob.JSON;

/** The servlets in a real Jetty on a free port, and clients for it. */
final class TestServer implements AutoCloseable {
  static final long MAX_BODY = 1 << 20;
  static final int MAX_KEPT = 1000;
  final Fakes fakes = new Fakes();
  final KeptCalls kept = new KeptCalls(fakes, MAX_KEPT, MAX_KEPT, Clock.systemUTC());
  final List<Route> routes;
  private final Server server = new Server();
  private final ServerConnector connector = new ServerConnector(server);
  private final EventsApi events = new EventsApi(fakes, Duration.ofMillis(50));
  private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  TestServer() throws Exception {
    fakes.courier.answers = kept;
    FrontDoor door = new FrontDoor(fakes, () -> fakes.ready, MAX_BODY, Clock.systemUTC(), kept);
    StatusApi status = new StatusApi(fakes, "0.1.0", "shed", Clock.systemUTC(), Clock.systemUTC().instant());
    routes = HttpGateway.routes(fakes, events, status, Clock.systemUTC());
    ServletContextHandler context = new ServletContextHandler();
    mount(context, "/function/*", FrontDoorServlet.byName(door, Mounted.UNCOUNTED));
    mount(context, "/thermo/*", FrontDoorServlet.ofTrigger(door, new FunctionName("thermo"), "/thermo"));
    mount(context, "/api/v1/*", new ApiServlet(routes, Mounted.UNCOUNTED));
    mount(context, "/healthz", new HealthServlet(status::ready, Mounted.UNCOUNTED));
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
    fakes.registry.add(Fakes.function("echo"));
    fakes.registry.add(Fakes.thermo());
  }

  private static void mount(ServletContextHandler context, String pattern, Servlet servlet) {
    ServletHolder holder = new ServletHolder(servlet);
    holder.setAsyncSupported(true);
    context.addServlet(holder, pattern);
  }

  int port() {
    return connector.getLocalPort();
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path)).timeout(Duration.ofSeconds(20));
  }

  HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  <T> HttpResponse<T> send(HttpRequest.Builder request, HttpResponse.BodyHandler<T> handler) throws Exception {
    return client.send(request.build(), handler);
  }

  HttpResponse<String> get(String path) throws Exception {
    return send(request(path));
  }

  HttpResponse<String> post(String path, String body) throws Exception {
    return send(request(path).POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  static Map<String, Object> json(String text) throws IOException {
    return JSON.std.mapFrom(text);
  }

  static Map<String, Object> json(HttpResponse<String> response) throws IOException {
    return JSON.std.mapFrom(response.body());
  }

  /** For requests that a decent client would not make. */
  Raw raw(String head) throws IOException {
    Raw raw = new Raw(new Socket("127.0.0.1", port()));
    raw.write(head);
    return raw;
  }

  @Override
  public void close() throws Exception {
    events.close();
    kept.close();
    server.stop();
    fakes.close();
  }

  /** A connection without manners. */
  static final class Raw implements AutoCloseable {
    final Socket socket;
    private final OutputStream out;
    private final BufferedReader in;

    Raw(Socket socket) throws IOException {
      this.socket = socket;
      socket.setSoTimeout(20_000);
      out = socket.getOutputStream();
      in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
    }

    void write(String text) throws IOException {
      out.write(text.getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
    }

    String line() throws IOException {
      return in.readLine();
    }

    String untilEnd() throws IOException {
      StringBuilder text = new StringBuilder();
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        text.append(line).append('\n');
      }
      return text.toString();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}

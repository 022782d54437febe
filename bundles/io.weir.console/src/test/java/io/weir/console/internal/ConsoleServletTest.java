package io.weir.console.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a browser is told about the page, by a real Jetty. */
class ConsoleServletTest {
  private final HttpClient client = HttpClient.newHttpClient();
  private final Server server = new Server();
  private final ServerConnector connector = new ServerConnector(server);

  @BeforeEach
  void start() throws Exception {
    ServletContextHandler context = new ServletContextHandler();
    context.addServlet(new ServletHolder(new ConsoleServlet()), ConsoleServlet.BASE + "/*");
    context.addServlet(new ServletHolder(new RootServlet()), "");
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
  }

  @AfterEach
  void stop() throws Exception {
    server.stop();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + connector.getLocalPort() + path))
        .timeout(Duration.ofSeconds(20));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), BodyHandlers.ofString());
  }

  private static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  @Test
  void thePageIsAtItsPathAndTheRootLeadsThere() throws Exception {
    HttpResponse<String> root = send(request("/"));
    HttpResponse<String> bare = send(request("/console"));
    HttpResponse<String> page = send(request("/console/"));

    assertThat(root.statusCode()).isEqualTo(302);
    assertThat(header(root, "Location")).isEqualTo("/console/");
    assertThat(bare.statusCode()).isEqualTo(308);
    assertThat(header(bare, "Location")).isEqualTo("/console/");
    assertThat(page.statusCode()).isEqualTo(200);
    assertThat(page.body()).startsWith("<!doctype html>").isEqualTo(send(request("/console/index.html")).body());
  }

  @Test
  void everyFileHasTheTypeThatABrowserInsistsOn() throws Exception {
    Map<String, String> types = Map.of("html", "text/html", "css", "text/css", "js", "text/javascript",
        "svg", "image/svg+xml");
    for (String name : Page.FILES) {
      HttpResponse<String> file = send(request("/console/" + name));

      assertThat(file.statusCode()).as(name).isEqualTo(200);
      assertThat(header(file, "Content-Type").toLowerCase().replace(";charset=utf-8", "")).as(name)
          .isEqualTo(types.get(name.substring(name.lastIndexOf('.') + 1)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/console/", "/console/main.js", "/console/icon.svg", "/console/missing", "/console"})
  void everyAnswerSaysWhatThePageMayDo(String path) throws Exception {
    HttpResponse<String> answer = send(request(path));

    assertThat(header(answer, "Content-Security-Policy")).contains("default-src 'none'", "script-src 'self'",
        "frame-ancestors 'none'", "require-trusted-types-for 'script'").doesNotContain("unsafe");
    assertThat(header(answer, "X-Content-Type-Options")).isEqualTo("nosniff");
    assertThat(header(answer, "Referrer-Policy")).isEqualTo("no-referrer");
  }

  @Test
  void aFileIsSentAgainOnlyIfItIsAnother() throws Exception {
    HttpResponse<String> first = send(request("/console/main.js"));
    String tag = header(first, "ETag");

    HttpResponse<String> again = send(request("/console/main.js").header("If-None-Match", "W/\"other\", " + tag));
    HttpResponse<String> other = send(request("/console/main.js").header("If-None-Match", "\"other\""));

    assertThat(header(first, "Cache-Control")).isEqualTo("no-cache");
    assertThat(tag).matches("\"[0-9a-f]{16}\"");
    assertThat(again.statusCode()).isEqualTo(304);
    assertThat(again.body()).isEmpty();
    assertThat(other.statusCode()).isEqualTo(200);
    assertThat(header(send(request("/console/dom.js")), "ETag")).isNotEqualTo(tag);
  }

  @Test
  void theHeadOfAFileTellsItsLength() throws Exception {
    HttpResponse<String> head = send(request("/console/main.js").method("HEAD", BodyPublishers.noBody()));

    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(header(head, "Content-Length")).isEqualTo(
        Integer.toString(send(request("/console/main.js")).body().getBytes(java.nio.charset.StandardCharsets.UTF_8).length));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/console/nothing.js", "/console/page/main.js", "/console/%2e%2e/Page.class",
      "/console/..%2fPage.class", "/console//main.js", "/console/main.js/"})
  void nothingElseIsThere(String path) throws Exception {
    assertThat(send(request(path)).statusCode()).isIn(400, 404);
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT", "DELETE", "OPTIONS"})
  void thePageIsForReading(String method) throws Exception {
    HttpResponse<String> answer = send(request("/console/").method(method, BodyPublishers.noBody()));

    assertThat(answer.statusCode()).isEqualTo(405);
    assertThat(header(answer, "Allow")).isEqualTo("GET, HEAD");
  }

  @Test
  void belowTheRootNothingIsTaken() throws Exception {
    assertThat(send(request("/elsewhere")).statusCode()).isEqualTo(404);
  }
}

package io.weir.gateway.http.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LocalSiteTest {
  private final HttpClient client = HttpClient.newHttpClient();
  private TestServer other;
  private LocalSite site;

  @BeforeEach
  void start() throws Exception {
    other = new TestServer();
    site = new LocalSite(new Router(other.routes), 0);
  }

  @AfterEach
  void stop() throws Exception {
    site.close();
    other.close();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(site.address().orElseThrow() + path)).timeout(Duration.ofSeconds(20));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), BodyHandlers.ofString());
  }

  @Test
  void answersAsTheServletsDo() throws Exception {
    for (String path : new String[] {"/api/v1/functions", "/api/v1/functions/thermo", "/api/v1/functions/nobody",
      "/api/v1/invocations?limit=many", "/api/v1", "/api/v1/openapi.json", "/api/v1x"}) {
      HttpResponse<String> here = send(request(path));
      HttpResponse<String> there = other.get(path);

      assertThat(here.statusCode()).as(path).isEqualTo(there.statusCode());
      if (!path.endsWith("x")) {
        assertThat(here.body()).as(path).isEqualTo(there.body());
        for (String header : new String[] {"Content-Type", "Cache-Control", "X-Content-Type-Options"}) {
          assertThat(here.headers().firstValue(header)).as(header + " of " + path).isEqualTo(there.headers().firstValue(header));
        }
      }
    }
    assertThat(send(request("/")).statusCode()).isEqualTo(404);
  }

  @Test
  void takesBodiesOfKnownAndUnknownLength() throws Exception {
    byte[] yaml = "functions: {}".getBytes(StandardCharsets.UTF_8);

    assertThat(send(request("/api/v1/functions").POST(BodyPublishers.ofByteArray(yaml))).statusCode()).isEqualTo(200);
    assertThat(send(request("/api/v1/functions").POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(yaml))))
        .statusCode()).isEqualTo(200);
    assertThat(send(request("/api/v1/functions").POST(BodyPublishers.ofByteArray(new byte[2 << 20]))).statusCode())
        .isEqualTo(413);
  }

  @Test
  void answersHeadAndOptionsWithoutABody() throws Exception {
    HttpResponse<String> head = send(request("/api/v1/functions").method("HEAD", BodyPublishers.noBody()));
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.body()).isEmpty();

    HttpResponse<String> options = send(request("/api/v1/functions").method("OPTIONS", BodyPublishers.noBody()));
    assertThat(options.statusCode()).isEqualTo(204);
    assertThat(options.headers().firstValue("Allow")).hasValue("GET, POST");
  }

  @Test
  void letsNoForeignPageChangeAnything() throws Exception {
    HttpResponse<String> refused = send(request("/api/v1/functions").header("Origin", "http://evil.example")
        .POST(BodyPublishers.ofString("functions: {}")));

    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(refused.body()).contains("cross-site");
  }

  @Test
  void streamsEventsUntilTheClientGoes() throws Exception {
    HttpResponse<InputStream> events = client.send(request("/api/v1/events").build(), BodyHandlers.ofInputStream());

    assertThat(events.headers().firstValue("Content-Type")).hasValue("text/event-stream;charset=utf-8");
    try (BufferedReader lines = new BufferedReader(new InputStreamReader(events.body()))) {
      assertThat(lines.readLine()).isEqualTo(": weir");
      assertThat(lines.readLine()).isEmpty();
      assertThat(lines.readLine()).isEqualTo(": ping");
    }
  }

  @Test
  void saysThatItsPortIsTaken() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      LocalSite none = new LocalSite(new Router(other.routes), taken.getLocalPort());

      assertThat(none.ready()).isFalse();
      assertThat(none.state()).contains("port " + taken.getLocalPort(), "'Local port'", "'Weir HTTP gateway'");
      none.close();
    }
    assertThat(site.state()).isEqualTo("serving " + site.address().orElseThrow() + "/api/v1");
  }
}

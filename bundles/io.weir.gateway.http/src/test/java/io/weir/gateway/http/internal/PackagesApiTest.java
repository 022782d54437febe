package io.weir.gateway.http.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PackagesApiTest {
  private TestServer server;

  @BeforeEach
  void open() throws Exception {
    server = new TestServer();
  }

  @AfterEach
  void close() throws Exception {
    server.close();
  }

  @Test
  void anUploadIsFollowedWhereLocationSays() throws Exception {
    HttpResponse<String> taken = server.post("/api/v1/packages?source=thermo-1.2.0.weirpkg", "good" + "x".repeat(3_000_000));

    assertThat(taken.statusCode()).isEqualTo(202);
    String location = taken.headers().firstValue("Location").orElseThrow();
    assertThat(TestServer.json(server.get(location))).containsEntry("package", "thermo").containsEntry("state", "loading")
        .containsEntry("final", false).containsEntry("replaces", "1.1.0").containsEntry("source", "thermo-1.2.0.weirpkg");
    assertThat((List<?>) TestServer.json(server.get("/api/v1/deployments")).get("deployments")).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"BAD_PACKAGE, 400", "WRONG_ARCHITECTURE, 400", "INVALID_DECLARATION, 400", "UNSIGNED, 403", "UNTRUSTED, 403",
      "BUSY, 409", "PACKAGE_TOO_LARGE, 413", "NO_SPACE, 507"})
  void whatIsRefusedSaysWhy(String code, int status) throws Exception {
    HttpResponse<String> refused = server.post("/api/v1/packages", code);

    assertThat(refused.statusCode()).isEqualTo(status);
    assertThat(TestServer.json(refused)).containsEntry("code", code.toLowerCase().replace('_', '-'))
        .containsEntry("detail", "not this one");
  }

  @Test
  void packagesAreListedAndRemoved() throws Exception {
    assertThat((List<?>) TestServer.json(server.get("/api/v1/packages")).get("packages")).singleElement()
        .isInstanceOfSatisfying(Map.class, it -> assertThat(it.get("functions")).isEqualTo(List.of("thermo")));
    assertThat(delete("thermo").statusCode()).isEqualTo(204);
    assertThat(delete("none").statusCode()).isEqualTo(404);
    assertThat(delete("busy").statusCode()).isEqualTo(409);
  }

  @Test
  void unknownDeploymentsAreNotFound() throws Exception {
    assertThat(server.get("/api/v1/deployments/none").statusCode()).isEqualTo(404);
  }

  @Test
  void withoutAnybodyToInstallThemTheApiSaysSo() throws Exception {
    server.fakes.without = true;

    assertThat(server.post("/api/v1/packages", "good").statusCode()).isEqualTo(503);
  }

  private HttpResponse<String> delete(String name) throws Exception {
    return server.send(server.request("/api/v1/packages/" + name).method("DELETE", HttpRequest.BodyPublishers.noBody()));
  }
}

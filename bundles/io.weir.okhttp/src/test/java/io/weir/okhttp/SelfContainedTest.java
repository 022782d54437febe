package io.weir.okhttp;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelfContainedTest {
  /** What bnd put together; the jar is the same files. */
  private static final Path BUNDLE = Path.of("target", "classes").toAbsolutePath();

  @Test
  void fetchesAPageWithOnlyTheBundleOnTheClassPath(@TempDir Path mainOnly) throws Exception {
    String file = GetMain.class.getName().replace('.', '/') + ".class";
    Path main = mainOnly.resolve(file);
    Files.createDirectories(main.getParent());
    Files.copy(Path.of("target", "test-classes").resolve(file), main);
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", exchange -> {
      byte[] body = "pong".getBytes(StandardCharsets.US_ASCII);
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();

    try {
      Process child = new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "-cp", BUNDLE + ":" + mainOnly, GetMain.class.getName(),
          "http://127.0.0.1:" + server.getAddress().getPort() + "/"))
          .redirectErrorStream(true).start();
      String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

      assertThat(child.waitFor()).as(said).isZero();
      assertThat(said.strip()).isEqualTo("200 pong");
    } finally {
      server.stop(0);
    }
  }

  @Test
  void exportsOkHttpAndOkioOnlyAndNeedsNothingButTheJdk() throws Exception {
    Manifest manifest;
    try (InputStream in = Files.newInputStream(BUNDLE.resolve("META-INF/MANIFEST.MF"))) {
      manifest = new Manifest(in);
    }

    assertThat(manifest.getMainAttributes().getValue("Export-Package"))
        .contains("okhttp3;", "okio;").doesNotContain("internal", "kotlin");
    assertThat(List.of(manifest.getMainAttributes().getValue("Import-Package").split(",(?=[a-z])")))
        .allMatch(name -> name.startsWith("javax.") || name.contains("resolution:=optional"));
  }
}

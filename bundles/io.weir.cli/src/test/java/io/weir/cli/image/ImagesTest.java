package io.weir.cli.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.cli.gateway.FakeGateway;
import io.weir.cli.gateway.Gateway;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Terminal;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImagesTest {
  private static final Host HOST = new Host("bookworm", "amd64", false);
  private static final String TAG = "localhost/weir/f:1";

  @TempDir
  private Path folder;
  @TempDir
  private Path cache;
  private FakeGateway gateway;

  @BeforeEach
  void start() throws IOException {
    gateway = new FakeGateway()
        .answer("GET /images", 200, "{\"present\":true}")
        .answer("POST /images/import", 201, "{\"reference\":\"x\"}")
        .answer("POST /images/build", 200, "{\"stream\":\"STEP 1\"}\n{\"reference\":\"" + TAG + "\"}\n");
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  private Images images() {
    var nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    return new Images(new Gateway(gateway.url()), new Terminal(nowhere, nowhere, true, false, false), HOST, cache);
  }

  private FakeGateway.Asked asked(String what) {
    return gateway.asked().stream().filter(asked -> asked.path().contains(what)).findFirst().orElseThrow();
  }

  private static Optional<String> content(byte[] tar, String name) throws IOException {
    try (var in = new TarArchiveInputStream(new ByteArrayInputStream(tar))) {
      for (var entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        if (entry.getName().equals(name)) {
          return Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
      }
    }
    return Optional.empty();
  }

  @Test
  void buildsAPythonFolderOnTheRuntimeOfThisRelease() throws IOException {
    Files.writeString(folder.resolve("main.py"), "print()\n");
    Files.createDirectories(folder.resolve("__pycache__"));

    images().build(Runtime.PYTHON, folder, TAG, false);

    byte[] context = asked("/images/build").body();
    assertThat(content(context, "Containerfile").orElseThrow())
        .startsWith("FROM localhost/weir/rt-python:bookworm-").contains("USER 1000:1000", "ENTRYPOINT [");
    assertThat(content(context, "app/main.py")).contains("print()\n");
    assertThat(TarsTest.entries(context).keySet()).containsExactly("Containerfile", "app/", "app/main.py");
  }

  @Test
  void aRuntimeIsAlsoKnownByTheNameThatTheGatewayLooksFor() throws IOException {
    gateway.answer("GET /images", 200, "{\"present\":false}");
    Path tar = cache.resolve("rootfs").resolve(Runtime.PYTHON.fileName(HOST));
    Files.createDirectories(tar.getParent());
    Files.writeString(tar, "kept from an earlier making");

    String reference = images().runtime(Runtime.PYTHON, false);

    assertThat(asked("/images/import").text()).isEqualTo("kept from an earlier making");
    assertThat(asked("/images/build").path()).contains("rt-python%3Acurrent");
    assertThat(content(asked("/images/build").body(), "Containerfile")).contains("FROM " + reference + "\n");
  }

  @Test
  void aContainerfileOfOnesOwnMayBuildOnTheRuntime() throws IOException {
    Files.writeString(folder.resolve("Containerfile"), "FROM ${WEIR_RUNTIME}\nCOPY . /app\n");

    images().build(Runtime.NODE, folder, TAG, false);

    assertThat(content(asked("/images/build").body(), "Containerfile").orElseThrow()).startsWith("FROM localhost/weir/rt-node:bookworm-");
    assertThatThrownBy(() -> images().build(folder, TAG)).hasMessageContaining("name the runtime");
  }

  @Test
  void aDockerfileIsAContainerfile() throws IOException {
    Files.writeString(folder.resolve("Dockerfile"), "FROM scratch\nCOPY x /\n");
    Files.writeString(folder.resolve("x"), "x");

    images().build(folder, TAG);

    assertThat(content(asked("/images/build").body(), "Containerfile")).contains("FROM scratch\nCOPY x /\n");
    assertThat(content(asked("/images/build").body(), "x")).contains("x");
  }

  @Test
  void compilesJavaIntoAJarThatStartsInMain() throws IOException {
    Files.writeString(folder.resolve("Main.java"), "public class Main { public static void main(String[] a) { new Other(); } }");
    Files.writeString(folder.resolve("Other.java"), "class Other {}");
    Files.createDirectories(folder.resolve("test"));
    Files.writeString(folder.resolve("test/OtherTest.java"), "import org.junit.Test; class OtherTest {}");

    images().build(Runtime.JAVA, folder, TAG, false);

    byte[] context = asked("/images/build").body();
    assertThat(content(context, "Containerfile").orElseThrow()).contains("\"Main\"]");
    assertThat(content(context, "app/app.jar")).isPresent();
  }

  @Test
  void showsTheCompilersWordsForJavaThatIsWrong() throws IOException {
    Files.writeString(folder.resolve("Main.java"), "class Main { int x = \"\"; }");

    assertThatThrownBy(() -> images().build(Runtime.JAVA, folder, TAG, false)).hasMessageContaining("do not compile")
        .hasMessageContaining("Main.java:1");
  }

  @Test
  void importsAStaticProgramWithoutAnyRuntime() throws IOException {
    assertThat(Host.program("musl-gcc")).as("apt-get install musl-tools").isPresent();
    Files.writeString(folder.resolve("x.c"), "int main(void) { return 0; }\n");

    images().build(Runtime.STATIC, folder, TAG, false);

    FakeGateway.Asked asked = asked("/images/import");
    assertThat(URLDecoder.decode(asked.path(), StandardCharsets.UTF_8)).contains("change=ENTRYPOINT [\"/app/main\"]", "change=USER 1000:1000",
        "reference=" + TAG);
    assertThat(TarsTest.entries(asked.body()).get("app/main").getMode() & 0777).isEqualTo(0755);
    assertThat(Files.exists(folder.resolve("main"))).as("the sources stay as they are").isFalse();
  }

  @Test
  void importsARuntimeFromTheCacheWithoutBeingRoot() throws IOException {
    Files.writeString(folder.resolve("main.js"), "");
    Path tar = cache.resolve("rootfs").resolve(Runtime.NODE.fileName(HOST));
    Files.createDirectories(tar.getParent());
    Files.writeString(tar, "a tar");
    gateway.answer("GET /images", 200, "{\"present\":false}");

    images().build(Runtime.NODE, folder, TAG, false);

    assertThat(asked("/images/import").text()).isEqualTo("a tar");
  }

  @Test
  void saysThatMakingARuntimeTakesRoot() throws IOException {
    Files.writeString(folder.resolve("main.py"), "");
    gateway.answer("GET /images", 200, "{\"present\":false}");

    assertThatThrownBy(() -> images().build(Runtime.PYTHON, folder, TAG, false)).isInstanceOfSatisfying(Failure.class, failure -> {
      assertThat(failure.exitCode()).isEqualTo(ExitCode.MISSING);
      assertThat(failure.text()).contains("sudo");
    });
  }

  @Test
  void aBuildThatFailsMidwayIsAFailure() throws IOException {
    Files.writeString(folder.resolve("Containerfile"), "FROM scratch\n");
    gateway.answer("POST /images/build", 200, "{\"stream\":\"STEP 1\"}\n{\"stream\":\"    def x(:\"}\n{\"error\":\"STEP 1 failed\"}\n");
    assertThatThrownBy(() -> images().build(folder, TAG)).hasMessage("STEP 1 failed\n  STEP 1\n      def x(:");

    gateway.answer("POST /images/build", 200, "{\"stream\":\"STEP 1\"}\n");
    assertThatThrownBy(() -> images().build(folder, TAG)).hasMessageContaining("without a result");
  }

  @Test
  void saysWhatAFolderLacks() {
    assertThatThrownBy(() -> images().build(folder, TAG)).hasMessageContaining("has no Containerfile");
    assertThatThrownBy(() -> images().build(Runtime.PYTHON, folder, TAG, false)).hasMessageContaining("has no main.py");
    assertThatThrownBy(() -> images().build(Runtime.JAVA, folder, TAG, false)).hasMessageContaining("neither app.jar nor a .java file");
    assertThatThrownBy(() -> images().build(folder.resolve("none"), TAG)).hasMessageContaining("there is no folder");
  }

  @Test
  void loadsATarAndNamesWhatWasInIt() throws IOException {
    gateway.answer("POST /images/load", 200, "{\"references\":[\"a:1\",\"b:1\"]}");

    assertThat(images().load(Files.writeString(folder.resolve("x.tar"), "tar"))).containsExactly("a:1", "b:1");
    assertThat(asked("/images/load").text()).isEqualTo("tar");
    assertThatThrownBy(() -> images().load(folder.resolve("none.tar"))).hasMessageContaining("there is no file");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "a:1", "localhost/weir/f:1", "registry.example:5000/a/b:v1.2-x", "a@sha256:"
      + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"})
  void takesImageNames(String name) {
    assertThat(Images.requireReference(name)).isEqualTo(name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "A/b", "a b", "a:", "../a", "a/", "a:b:c", "-a", "a\n"})
  void refusesWhatNamesNoImage(String name) {
    assertThatThrownBy(() -> Images.requireReference(name)).hasMessageContaining("names no image");
  }

  @ParameterizedTest
  @CsvSource({"/x/thermo-alert,localhost/weir/thermo-alert:1", "/x/My Function!,localhost/weir/my-function:1", "/,localhost/weir/function:1"})
  void namesAnImageAfterItsFolder(String path, String reference) {
    assertThat(Images.defaultReference(Path.of(path))).isEqualTo(reference);
  }

  @Test
  void aRuntimesNameChangesWithItsRelease() {
    assertThat(Runtime.PYTHON.reference(HOST)).isNotEqualTo(Runtime.PYTHON.reference(new Host("trixie", "amd64", true)));
    assertThat(Runtime.PYTHON.version(HOST)).isNotEqualTo(Runtime.PYTHON.version(new Host("bookworm", "arm64", true)));
    assertThat(Images.cacheFolder(Map.of("HOME", "/h"))).isEqualTo(Path.of("/h/.cache/weir"));
    assertThat(Images.cacheFolder(Map.of("HOME", "/h", "WEIR_CACHE", "/c"))).isEqualTo(Path.of("/c"));
  }
}

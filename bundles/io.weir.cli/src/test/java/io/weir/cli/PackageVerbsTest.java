package io.weir.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.cli.gateway.FakeGateway;
import io.weir.cli.gateway.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackageVerbsTest {
  private record Ended(int exitCode, String out, String err) {}

  private static final String DONE = """
      {"id":"d1","package":"thermo","version":"1.2.0","state":"installed","final":true,"step":"installed","signer":"us.pub",
        "replaces":"1.1.0","detail":""}""";

  @TempDir
  private Path folder;
  private FakeGateway gateway;

  @BeforeEach
  void start() throws Exception {
    gateway = new FakeGateway();
    Files.createDirectory(folder.resolve("thermo"));
    Files.writeString(folder.resolve("thermo/weir.yaml"), """
        functions:
          thermo:
            image: localhost/weir/thermo:1   # the one
          twice: {runtime: python, handler: twice.py}
        # image: localhost/never:1
        """);
    Files.writeString(folder.resolve("thermo/twice.py"), "def handle(event): return 'twice'\n");
    Files.writeString(folder.resolve("thermo/unrelated.txt"), "x");
    archive("arm64", folder.resolve("thermo.tar"));
  }

  /** What {@code podman save} writes, as far as it matters. */
  private static void archive(String architecture, Path to) throws Exception {
    Path contents = Files.createDirectories(to.resolveSibling("contents"));
    Files.writeString(contents.resolve("c.json"), "{\"architecture\":\"" + architecture + "\"}");
    Files.writeString(contents.resolve("manifest.json"),
        "[{\"Config\":\"c.json\",\"RepoTags\":[\"localhost/weir/thermo:1\"],\"Layers\":[]}]");
    Process tar = new ProcessBuilder("tar", "-C", contents.toString(), "--format=ustar", "-cf", to.toString(), "c.json",
        "manifest.json").start();
    assertThat(tar.waitFor()).isZero();
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  private Ended weir(String... args) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    int code = Main.run(new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of("WEIR_URL", gateway.url()), args);
    return new Ended(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  private Ended build(String... more) {
    String[] args = new String[10 + more.length];
    System.arraycopy(new String[] {"--json", "package", "build", path("thermo"), "--version", "1.2.0", "--image",
        "localhost/weir/thermo:1=" + path("thermo.tar"), "-o", path("t.weirpkg")}, 0, args, 0, 10);
    System.arraycopy(more, 0, args, 10, more.length);
    return weir(args);
  }

  @Test
  void aFolderBecomesAPackageWithWhatItsYamlNames() {
    Ended built = build();

    assertThat(built.exitCode()).as(built.err()).isZero();
    assertThat(Json.object(built.out())).containsEntry("name", "thermo").containsEntry("version", "1.2.0")
        .containsEntry("architecture", "arm64").containsEntry("signed", false);
    Ended verified = weir("package", "verify", path("t.weirpkg"));
    assertThat(verified.exitCode()).as(verified.err()).isZero();
    assertThat(verified.out()).contains("weir.yaml", "twice.py", "images/thermo.tar").doesNotContain("unrelated");
  }

  @Test
  void imagesThatAreNotAtHandComeFromTheGateway() throws IOException {
    gateway.answer("GET /images/archive", new FakeGateway.Answer(200, "application/x-tar",
        Files.readString(folder.resolve("thermo.tar"))));

    Ended built = weir("package", "build", path("thermo"), "--version", "1", "-o", path("t.weirpkg"));

    assertThat(built.exitCode()).as(built.err()).isZero();
    assertThat(gateway.asked()).extracting(FakeGateway.Asked::path)
        .containsExactly("/api/v1/images/archive?reference=localhost%2Fweir%2Fthermo%3A1");
  }

  @Test
  void anImageIsSavedWholeOrNotAtAll() throws IOException {
    String whole = Files.readString(folder.resolve("thermo.tar"));
    gateway.answer("GET /images/archive", new FakeGateway.Answer(200, "application/x-tar", whole));
    assertThat(weir("image", "save", "localhost/weir/thermo:1", path("saved.tar")).exitCode()).isZero();
    gateway.answer("GET /images/archive", new FakeGateway.Answer(200, "application/x-tar", whole.substring(0, 700)));

    Ended torn = weir("image", "save", "localhost/weir/thermo:1", path("torn.tar"));

    assertThat(Files.readString(folder.resolve("saved.tar"))).isEqualTo(whole);
    assertThat(torn.exitCode()).isEqualTo(1);
    assertThat(torn.err()).contains("the gateway broke off");
    assertThat(folder).isDirectoryNotContaining("glob:**torn*");
  }

  @Test
  void aKeyIsMadeThatSignsAndTellsWhoSigned() throws IOException {
    assertThat(weir("package", "keygen", path("us")).exitCode()).isZero();
    assertThat(Files.getPosixFilePermissions(folder.resolve("us.pem"))).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(weir("package", "keygen", path("us")).err()).contains("already");
    weir("package", "keygen", path("them"));
    build();

    assertThat(weir("package", "verify", path("t.weirpkg"), "--key", path("us.pub")).err()).contains("is not signed");
    assertThat(weir("package", "sign", path("t.weirpkg"), "--key", path("us.pem")).exitCode()).isZero();

    assertThat(weir("package", "verify", path("t.weirpkg"), "--key", path("us.pub")).out()).contains("signed by us.pub");
    Ended others = weir("package", "verify", path("t.weirpkg"), "--key", path("them.pub"));
    assertThat(others.exitCode()).isEqualTo(1);
    assertThat(others.err()).contains("somebody else signed it");
    assertThat(weir("package", "sign", path("t.weirpkg"), "--key", path("us.pub")).err()).contains("BEGIN PRIVATE KEY");
  }

  @Test
  void aDamagedPackageIsFoundOut() throws IOException {
    build();
    byte[] bytes = Files.readAllBytes(folder.resolve("t.weirpkg"));
    Files.write(folder.resolve("t.weirpkg"), java.util.Arrays.copyOf(bytes, bytes.length / 2));

    Ended verified = weir("package", "verify", path("t.weirpkg"));

    assertThat(verified.exitCode()).isEqualTo(1);
    assertThat(verified.err()).contains("incomplete or damaged", "send it again");
    assertThat(weir("package", "verify", path("none.weirpkg")).err()).contains("there is no file");
  }

  @Test
  void whatCannotBeAPackageIsSaidSo() {
    assertThat(build("--name", "Thermo Alert").err()).contains("name 'Thermo Alert' is not allowed");
    assertThat(weir("package", "build", path("thermo"), "--version", "1", "--without-images", "-o", path("nowhere/t.weirpkg")).err())
        .contains("nowhere");
    assertThat(weir("package", "build", path("none"), "--version", "1").err()).contains("there is no file");
    assertThat(weir("package").exitCode()).isEqualTo(2);
  }

  @Test
  void anInstallationIsFollowedToItsEnd() {
    build();
    gateway.answer("POST /packages", 202, DONE.replace("installed", "loading").replace("true", "false"));
    gateway.answer("GET /deployments/d1", 200, DONE);

    Ended installed = weir("package", "install", path("t.weirpkg"));

    assertThat(installed.exitCode()).isZero();
    assertThat(installed.out()).isEqualTo("installed thermo 1.2.0, signed by us.pub, in place of 1.1.0\n");
    assertThat(gateway.asked().get(0).path()).isEqualTo("/api/v1/packages?source=t.weirpkg");
  }

  @Test
  void whatIsRolledBackFails() {
    build();
    gateway.answer("POST /packages", 202, DONE.replace("\"installed\",\"final\"", "\"rolled-back\",\"final\"")
        .replace("\"detail\":\"\"", "\"detail\":\"function thermo did not start; 1.1.0 runs on\""));

    Ended installed = weir("package", "install", path("t.weirpkg"));

    assertThat(installed.exitCode()).isEqualTo(1);
    assertThat(installed.out()).isEqualTo("rolled back thermo 1.2.0: function thermo did not start; 1.1.0 runs on\n");
  }

  @Test
  void packagesAreListedAndRemoved() {
    gateway.answer("GET /packages", 200, """
        {"packages":[{"name":"thermo","version":"1.2.0","signer":"us.pub","functions":["thermo","twice"],"installed":"2026-11-21T12:00:00Z"}]}""");
    gateway.answer("DELETE /packages/thermo", 204, "");

    assertThat(weir("package", "list").out().lines()).last().asString()
        .matches("thermo +1.2.0 +thermo, twice +us.pub +2026-11-21T12:00:00Z");
    assertThat(weir("package", "remove", "thermo").exitCode()).isZero();
    assertThat(weir("package", "remove", "none").exitCode()).isEqualTo(4);
  }
}

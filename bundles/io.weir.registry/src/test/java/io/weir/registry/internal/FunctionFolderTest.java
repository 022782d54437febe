package io.weir.registry.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.function.InvalidFunction;
import io.weir.function.Problem;
import io.weir.function.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.util.converter.Converters;

@Timeout(60)
class FunctionFolderTest {
  @TempDir private Path temp;
  private final World world = new World();
  private FunctionFolder watching;

  @AfterEach
  void stop() {
    if (watching != null) {
      watching.close();
    }
  }

  private Path folder() {
    return temp.resolve("functions.d");
  }

  private void write(String file, String text) throws IOException {
    Files.createDirectories(folder());
    Files.writeString(folder().resolve(file), text);
  }

  private void watch(Duration rescan) {
    watching = new FunctionFolder(world.registry, folder(), rescan);
  }

  private String next() throws InterruptedException {
    return world.heard.calls.poll(20, TimeUnit.SECONDS);
  }

  @Test
  void appliesFilesAsTheyComeChangeAndGo() throws Exception {
    write("a.yaml", World.yaml("a"));
    watch(Duration.ofHours(1));
    assertThat(next()).isEqualTo("added a");

    write("b.yml", World.yaml("b"));
    assertThat(next()).isEqualTo("added b");

    write("a.yaml", "functions: {a: {image: 'localhost/a:2'}}");
    assertThat(next()).isEqualTo("changed a localhost/a:1 localhost/a:2");

    Path draft = Files.writeString(temp.resolve("draft"), "functions: {a: {image: 'localhost/a:3'}}");
    Files.move(draft, folder().resolve("a.yaml"), StandardCopyOption.ATOMIC_MOVE);
    assertThat(next()).isEqualTo("changed a localhost/a:2 localhost/a:3");

    Files.delete(folder().resolve("a.yaml"));
    assertThat(next()).isEqualTo("removed a");
    assertThat(world.names()).containsExactly("b");
  }

  @Test
  void findsChangesEvenIfNobodyTellsIt() throws Exception {
    watch(Duration.ofMillis(20));
    write("a.yaml", World.yaml("a"));
    assertThat(next()).isEqualTo("added a");

    Files.delete(folder().resolve("a.yaml"));
    Files.delete(folder());
    write("b.yaml", World.yaml("b"));
    assertThat(java.util.Set.of(next(), next())).containsExactlyInAnyOrder("removed a", "added b");
  }

  @Test
  void leavesFormerFunctionsRunningWhileAFileIsInError() throws Exception {
    FolderScan scan = scan();
    write("a.yaml", World.yaml("a"));
    scan.run();
    write("a.yaml", "functions:\n  a:\n    image: x\n    prot: 80\n");
    scan.run();

    assertThat(world.function("a").source().toString()).isEqualTo("localhost/a:1");
    assertThat(world.registry.problems()).singleElement().satisfies(problem -> {
      assertThat(problem.source()).isEqualTo("a.yaml");
      assertThat(problem.line()).isEqualTo(4);
      assertThat(problem.message()).isEqualTo("function a: unknown key 'prot'; did you mean 'port'?");
    });

    write("a.yaml", "functions: {a: {image: 'localhost/a:22'}}");
    scan.run();
    assertThat(world.registry.problems()).isEmpty();
    assertThat(world.function("a").source().toString()).isEqualTo("localhost/a:22");
  }

  @Test
  void forgetsTheProblemOfAFileThatIsGone() throws Exception {
    FolderScan scan = scan();
    write("a.yaml", "nonsense");
    scan.run();
    assertThat(world.registry.problems()).hasSize(1);

    Files.delete(folder().resolve("a.yaml"));
    scan.run();
    assertThat(world.registry.problems()).isEmpty();
  }

  @Test
  void doesNotTakeATruncatedFileForNoFunctions() throws Exception {
    FolderScan scan = scan();
    write("a.yaml", World.yaml("a"));
    scan.run();
    write("a.yaml", "");
    scan.run();

    assertThat(world.names()).containsExactly("a");
    assertThat(world.registry.problems()).extracting(Problem::message)
        .containsExactly("the text is empty; write 'functions: {}' to mean none");
  }

  @Test
  void appliesAFileOnceWhatWasInItsWayIsGone() throws Exception {
    FolderScan scan = scan();
    write("a.yaml", World.yaml("echo"));
    write("b.yaml", World.yaml("echo"));
    scan.run();
    assertThat(world.registry.problems()).extracting(Problem::source).containsExactly("b.yaml");

    Files.delete(folder().resolve("a.yaml"));
    scan.run();
    assertThat(world.registry.problems()).isEmpty();
    assertThat(world.registry.origin(world.function("echo").name())).contains("b.yaml");
  }

  @Test
  void restartsNothingWhenAFileIsRenamed() throws Exception {
    FolderScan scan = scan();
    write("a.yaml", World.yaml("echo"));
    scan.run();
    Files.move(folder().resolve("a.yaml"), folder().resolve("b.yaml"));
    scan.run();

    assertThat(world.heard.drain()).containsExactly("added echo");
  }

  @Test
  void removesWhatVanishedWhileTheGatewayWasDown() throws Exception {
    write("a.yaml", World.yaml("a"));
    scan().run();
    world.registry.declare(World.yaml("mine"), "w.yaml", Map.of());
    Files.delete(folder().resolve("a.yaml"));

    World restarted = new World(world.configurations);
    assertThat(restarted.names()).containsExactly("a", "mine");
    new FolderScan(restarted.registry, folder(), Clock.systemUTC()).run();
    assertThat(restarted.names()).containsExactly("mine");
  }

  @Test
  void keepsFunctionsWhenTheFolderCannotBeRead() throws Exception {
    FolderScan scan = scan();
    write("a.yaml", World.yaml("a"));
    scan.run();
    Files.move(folder(), temp.resolve("away"));
    scan.run();

    assertThat(world.names()).containsExactly("a");
    assertThat(world.registry.problems()).extracting(Problem::source).containsExactly(folder().toString());
    Files.move(temp.resolve("away"), folder());
    scan.run();
    assertThat(world.registry.problems()).isEmpty();
  }

  @Test
  void ignoresWhatIsNoYamlFile() throws Exception {
    write(".a.yaml", World.yaml("a"));
    write("b.yaml~", World.yaml("b"));
    write("c.txt", World.yaml("c"));
    Files.createDirectories(folder().resolve("d.yaml"));
    scan().run();

    assertThat(world.names()).isEmpty();
    assertThat(world.registry.problems()).isEmpty();
  }

  @Test
  void refusesWhatIsNoText() throws Exception {
    Files.createDirectories(folder());
    Files.write(folder().resolve("a.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe});
    Files.write(folder().resolve("b.yaml"), new byte[(1 << 20) + 1]);
    scan().run();

    assertThat(world.registry.problems()).extracting(Problem::message).containsExactly(
        "is not UTF-8; save it as UTF-8", "is larger than 1048576 bytes; split it into several files");
  }

  @Test
  void takesAFunctionsProgramFromTheFileBesideIt() throws Exception {
    write("thermo.py", "one");
    write("a.yaml", "functions: {a: {runtime: python, handler: thermo.py}}");
    watch(Duration.ofHours(1));
    assertThat(next()).isEqualTo("added a");

    write("thermo.py", "another");
    assertThat(next()).isEqualTo("changed a python thermo.py python thermo.py");
    assertThat(code("a")).isEqualTo("another");

    Path draft = Files.writeString(temp.resolve("draft"), "moved in");
    Files.move(draft, folder().resolve("thermo.py"), StandardCopyOption.ATOMIC_MOVE);
    assertThat(next()).isEqualTo("changed a python thermo.py python thermo.py");
    assertThat(code("a")).isEqualTo("moved in");
  }

  @Test
  void looksAtAProgramAgainOnlyWhenItChanged() throws Exception {
    // An hour later no file is so new that it would be read once more in any case.
    FolderScan scan = new FolderScan(world.registry, folder(), Clock.offset(Clock.systemUTC(), Duration.ofHours(1)));
    write("thermo.py", "one");
    write("a.yaml", "functions: {a: {runtime: python, handler: thermo.py}}");
    scan.run();
    world.configurations.entries.clear();
    world.registry.look("io.weir.function~a");
    scan.run();
    assertThat(world.names()).as("nothing changed").isEmpty();

    write("thermo.py", "another");
    scan.run();
    assertThat(code("a")).isEqualTo("another");
    Files.delete(folder().resolve("thermo.py"));
    assertThat(problem(scan)).contains("there is no file 'thermo.py'");
  }

  private String code(String function) {
    return ((Source.Handler) world.function(function).source()).code();
  }

  @Test
  void saysWhatIsWrongWithAProgramAndMendsItOnceThatIsGood() throws Exception {
    FolderScan scan = scan();
    write("a.yaml", "functions:\n  a:\n    runtime: python\n    handler: thermo.py\n");

    assertThat(problem(scan)).isEqualTo("4 function a: handler: there is no file 'thermo.py' beside the weir.yaml; put it "
        + "there, or write the program as code");
    Files.createDirectory(folder().resolve("thermo.py"));
    assertThat(problem(scan)).startsWith("4 function a: handler: there is no file 'thermo.py'");
    Files.delete(folder().resolve("thermo.py"));
    Files.write(folder().resolve("thermo.py"), new byte[] {(byte) 0xff});
    assertThat(problem(scan)).isEqualTo("4 function a: handler: thermo.py is not UTF-8; save it as UTF-8");
    Files.write(folder().resolve("thermo.py"), new byte[(256 << 10) + 1]);
    assertThat(problem(scan)).isEqualTo("4 function a: handler: thermo.py is longer than 262144 bytes; build an image for "
        + "it instead");
    write("thermo.py", "pass");
    scan.run();
    assertThat(world.registry.problems()).isEmpty();
    assertThat(code("a")).isEqualTo("pass");

    Files.delete(folder().resolve("thermo.py"));
    assertThat(problem(scan)).startsWith("4 function a: handler: there is no file");
    assertThat(code("a")).as("what runs goes on running").isEqualTo("pass");
  }

  private String problem(FolderScan scan) {
    scan.run();
    Problem problem = world.registry.problems().get(0);
    return problem.line() + " " + problem.message();
  }

  @Test
  void doesNotAskAgainAndAgainAboutAFileThatWasRefused() throws Exception {
    int[] asked = {0};
    world.registry.addCheck(function -> {
      asked[0]++;
      throw new InvalidFunction("memory", "memory: too much");
    });
    FolderScan scan = scan();
    write("a.yaml", World.yaml("a", "memory: 1GiB"));

    assertThat(problem(scan)).isEqualTo("4 function a: memory: too much");
    scan.run();
    assertThat(asked[0]).isOne();

    write("a.yaml", World.yaml("a", "memory: 2GiB"));
    scan.run();
    assertThat(asked[0]).isEqualTo(2);
  }

  @Test
  void watchesTheDataFolderUnlessTold() {
    assertThat(FunctionFolder.folder(config(""), Optional.of("/data"))).isEqualTo(Path.of("/data/functions.d"));
    assertThat(FunctionFolder.folder(config(""), Optional.empty())).isEqualTo(Path.of("/var/lib/weir/functions.d"));
    assertThat(FunctionFolder.folder(config("/x"), Optional.empty())).isEqualTo(Path.of("/x"));
    assertThatThrownBy(() -> FunctionFolder.folder(config("x"), Optional.empty()))
        .hasMessage("io.weir.registry: folder: 'x' is not allowed; use an absolute path");
  }

  private FolderScan scan() {
    return new FolderScan(world.registry, folder(), Clock.systemUTC());
  }

  private static FolderConfig config(String folder) {
    return Converters.standardConverter().convert(Map.of("folder", folder)).to(FolderConfig.class);
  }
}

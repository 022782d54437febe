package io.weir.itest;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The rules of the house, read from the bundles that are shipped. */
class ArchitectureTest {
  private static final Path BUNDLES = Path.of(System.getProperty("weir.dist")).resolve("bundle/weir");
  private static JavaClasses classes;
  private static List<Path> jars;

  @BeforeAll
  static void read() throws IOException {
    try (Stream<Path> files = Files.list(BUNDLES)) {
      jars = files.sorted().toList();
    }
    List<Path> ours = jars.stream().filter(jar -> !jar.getFileName().toString().startsWith("io.weir.okhttp")).toList();
    classes = new ClassFileImporter().importJars(ours.stream().map(ArchitectureTest::jar).toList());
    assertThat(classes.size()).isGreaterThan(100);
  }

  private static JarFile jar(Path path) {
    try {
      return new JarFile(path.toFile());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aProviderUsesOthersThroughTheApiOnly() {
    for (Path jar : jars) {
      String bundle = jar.getFileName().toString().replaceAll("-\\d.*", "");
      if (bundle.equals("io.weir.api") || bundle.equals("io.weir.okhttp")) {
        continue;
      }
      classes.stream().filter(c -> c.getPackageName().startsWith(bundle + ".internal"))
          .flatMap(c -> c.getDirectDependenciesFromSelf().stream())
          .map(d -> d.getTargetClass().getPackageName())
          .filter(target -> target.startsWith("io.weir.") && target.contains(".internal"))
          .forEach(target -> assertThat(target).as("used by " + bundle).startsWith(bundle + ".internal"));
    }
  }

  @Test
  void theApiDependsOnNothing() {
    String api = "io\\.weir\\.(admin|broker|deployment|engine|event|forecast|function|invocation|kernel|secret)";
    classes.stream().filter(c -> c.getPackageName().matches(api))
        .flatMap(c -> c.getDirectDependenciesFromSelf().stream())
        .map(d -> d.getTargetClass().getPackageName())
        .filter(p -> !p.isEmpty())
        .forEach(p -> assertThat(p).matches("java\\..*|" + api + "|org\\.(jspecify|osgi)\\.annotation.*"));
  }

  @Test
  void onlyTheApiAndTheWrapperExport() throws IOException {
    for (Path path : jars) {
      try (JarFile jar = new JarFile(path.toFile())) {
        String exported = jar.getManifest().getMainAttributes().getValue("Export-Package");
        boolean may = path.getFileName().toString().matches("io\\.weir\\.(api|okhttp)-.*");
        assertThat(exported != null).as(path.getFileName() + " exports " + exported).isEqualTo(may);
      }
    }
  }

  @Test
  void everybodyKeepsToItsOwnTrade() {
    only("org.osgi.service.cm..", "io.weir.registry.internal..", "io.weir.secrets.internal..");
    only("org.eclipse.paho..", "io.weir.gateway.mqtt.internal..", "org.eclipse.paho..");
    only("jakarta.servlet..", "io.weir.gateway.http.internal..", "io.weir.console.internal..");
    only("org.eclipse.kura..", "io.weir.kura..");
    only("io.weir.weirpkg..", "io.weir.deploy.internal..", "io.weir.weirpkg..");
    only("io.weir.child..", "io.weir.engine.podman.internal..", "io.weir.broker.internal..", "io.weir.child..");
  }

  @Test
  void theConsoleKnowsTheRestApiOnly() {
    noClasses().that().resideInAPackage("io.weir.console..").should().dependOnClassesThat(
        resideInAPackage("io.weir..").and(resideOutsideOfPackage("io.weir.console.."))).check(classes);
  }

  private static void only(String what, String... users) {
    noClasses().that().resideOutsideOfPackages(users).should().dependOnClassesThat().resideInAPackage(what)
        .allowEmptyShould(true).check(classes);
  }

  @Test
  void gatewaysKnowNothingOfPodman() {
    noClasses().that().resideInAPackage("io.weir.gateway.mqtt..")
        .should().dependOnClassesThat().resideInAPackage("io.weir.engine..").check(classes);
    noClasses().that().resideInAPackage("io.weir.delivery..")
        .should().dependOnClassesThat().resideInAPackage("io.weir.engine..").check(classes);
    noClasses().that().resideInAPackage("io.weir.invoker..")
        .should().dependOnClassesThat().haveSimpleName("ContainerEngine").check(classes);
    noClasses().that().resideInAPackage("io.weir.pool..")
        .should().dependOnClassesThat().resideInAPackage("io.weir.invocation..").check(classes);
    noClasses().that().resideInAPackage("io.weir.activator..")
        .should().dependOnClassesThat().haveSimpleName("ContainerEngine").check(classes);
    noClasses().that().resideInAPackage("io.weir.journal..")
        .should().dependOnClassesThat().resideInAnyPackage("io.weir.engine..", "io.weir.kernel..", "io.weir.broker..")
        .check(classes);
  }
}

package io.weir.registry.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidDeclaration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PackagedFunctionsTest {
  private final World world = new World();
  private final Registry registry = world.registry;

  private List<FunctionSpec> functions(String... namesAndVersions) {
    StringBuilder yaml = new StringBuilder("functions:\n");
    for (String each : namesAndVersions) {
      yaml.append("  ").append(each.split(":")[0]).append(": {image: localhost/").append(each).append("}\n");
    }
    return registry.read(yaml.toString(), "package", Map.of());
  }

  private String origin(String function) {
    return registry.origin(new FunctionName(function)).orElse("");
  }

  @Test
  void readingDeclaresNothing() {
    assertThat(functions("a:1")).hasSize(1);
    assertThat(world.names()).isEmpty();
    assertThatThrownBy(() -> registry.read("functions:\n  a: {port: 1}", "package p", Map.of()))
        .isInstanceOf(InvalidDeclaration.class).hasMessageStartingWith("package p:2:");
  }

  @Test
  void thoseOfAPackageAreThoseOfItsLastVersion() {
    registry.replace("p", functions("a:1", "b:1"), "package p");
    registry.replace("q", functions("c:1"), "package q");
    registry.replace("p", functions("b:2", "d:1"), "package p");

    assertThat(world.names()).containsExactly("b", "c", "d");
    assertThat(world.function("b").source().toString()).isEqualTo("localhost/b:2");
    assertThat(origin("b")).isEqualTo("package:p");
  }

  @Test
  void theyOutliveARestart() {
    registry.replace("p", functions("a:1"), "package p");

    World next = new World(world.configurations);

    assertThat(next.names()).containsExactly("a");
    assertThat(next.registry.origin(new FunctionName("a"))).contains("package:p");
    assertThat(next.registry.files()).isEmpty();
  }

  @Test
  void everythingCanBePutBack() {
    registry.declare("functions: {api: {image: localhost/api:1}}", "w.yaml", Map.of());
    registry.replace("p", functions("a:1", "b:1"), "package p");
    Runnable undo = registry.replace("p", functions("a:2", "api:2", "c:1"), "package p");
    assertThat(origin("api")).isEqualTo("package:p");

    undo.run();

    assertThat(world.names()).containsExactly("a", "api", "b");
    assertThat(world.function("a").source().toString()).isEqualTo("localhost/a:1");
    assertThat(world.function("api").source().toString()).isEqualTo("localhost/api:1");
    assertThat(List.of(origin("a"), origin("api"), origin("b"))).containsExactly("package:p", "api", "package:p");
    assertThat(new World(world.configurations).names()).containsExactly("a", "api", "b");
  }

  @Test
  void whatSomebodyElseTookMeanwhileStaysTheirs() {
    registry.replace("p", functions("a:1"), "package p");
    Runnable undo = registry.replace("p", List.of(), "package p");
    registry.declare("functions: {a: {image: localhost/a:9}}", "w.yaml", Map.of());

    undo.run();

    assertThat(world.function("a").source().toString()).isEqualTo("localhost/a:9");
    assertThat(origin("a")).isEqualTo("api");
  }

  @Test
  void allOfThemAreAcceptedOrNone() {
    registry.declareFile("f.yaml", "functions: {taken: {image: x}}", World.NO_FILES, Set.of());
    registry.replace("p", functions("a:1"), "package p");

    assertThatThrownBy(() -> registry.replace("p", functions("a:2", "taken:2"), "package p"))
        .isInstanceOf(InvalidDeclaration.class).hasMessageContaining("declared by f.yaml");

    assertThat(world.function("a").source().toString()).isEqualTo("localhost/a:1");
  }

  @Test
  void nobodyElseChangesOrRemovesThem() {
    registry.replace("p", functions("a:1"), "package p");

    assertThatThrownBy(() -> registry.declare("functions: {a: {image: x}}", "w.yaml", Map.of()))
        .isInstanceOf(InvalidDeclaration.class).hasMessageContaining("declared by package p");
    assertThatThrownBy(() -> registry.remove(new FunctionName("a")))
        .isInstanceOf(InvalidDeclaration.class).hasMessageContaining("weir package remove p");
    assertThatThrownBy(() -> registry.replace("q", functions("a:1"), "package q"))
        .isInstanceOf(InvalidDeclaration.class).hasMessageContaining("declared by package p");
  }

  @Test
  void whatACheckObjectsToIsNotTakenFromAPackageEither() {
    registry.addCheck(World.refusing("a", "memory"));

    assertThatThrownBy(() -> registry.replace("p", functions("a:1"), "package p")).isInstanceOf(InvalidDeclaration.class)
        .hasMessageContaining("not here");
    assertThat(world.names()).isEmpty();
  }
}

package io.weir.registry.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.event.GatewayEvent.FunctionChanged;
import io.weir.function.FunctionCheck;
import io.weir.function.FunctionListener;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidDeclaration;
import io.weir.function.InvalidFunction;
import io.weir.function.Language;
import io.weir.function.Problem;
import io.weir.function.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class RegistryTest {
  private static final String ECHO_PID = "io.weir.function~echo";
  private final World world = new World();
  private final Registry registry = world.registry;

  @Test
  void showsADeclaredFunctionAtOnceAndKeepsItInConfigurationAdmin() {
    assertThat(registry.declare(World.yaml("echo"), "w.yaml", Map.of())).extracting(spec -> spec.source().toString())
        .containsExactly("localhost/echo:1");

    assertThat(world.names()).containsExactly("echo");
    assertThat(registry.origin(new FunctionName("echo"))).contains("api");
    assertThat(world.configurations.entries.get(ECHO_PID).getProperties().get("weir.origin")).isEqualTo("api");
    assertThat(world.heard.drain()).containsExactly("added echo");
    assertThat(world.events).containsExactly(new FunctionChanged(World.NOON, new FunctionName("echo"), "added"));
    assertThat(new World(world.configurations).names()).containsExactly("echo");
  }

  @Test
  void hearsNothingNewWhenConfigurationAdminTellsOfItsOwnChange() {
    registry.declare(World.yaml("echo"), "w.yaml", Map.of());
    world.heard.drain();

    registry.look(ECHO_PID);

    assertThat(world.heard.drain()).isEmpty();
    assertThat(world.configurations.writes).isOne();
  }

  @Test
  void writesNothingWhenNothingChanged() {
    registry.declare(World.yaml("echo"), "w.yaml", Map.of());
    registry.declare(World.yaml("echo"), "w.yaml", Map.of());

    assertThat(world.configurations.writes).isOne();
    assertThat(world.heard.drain()).containsExactly("added echo");
  }

  @Test
  void changesAFunctionInPlace() {
    registry.declare(World.yaml("echo"), "w.yaml", Map.of());
    registry.declare("functions: {echo: {image: localhost/echo:2}}", "w.yaml", Map.of());
    registry.look(ECHO_PID);

    assertThat(world.heard.drain()).containsExactly("added echo", "changed echo localhost/echo:1 localhost/echo:2");
    assertThat(world.function("echo").source().toString()).isEqualTo("localhost/echo:2");
  }

  @Test
  void takesAllFunctionsOfATextOrNone() {
    assertThatThrownBy(() -> registry.declare("functions:\n  a: {image: x}\n  b: {image: x, port: 0}\n", "my.yaml", Map.of()))
        .isInstanceOf(InvalidDeclaration.class)
        .hasMessage("my.yaml:3: function b: port: '0' is not allowed; use 1..65535");

    assertThat(world.names()).isEmpty();
    assertThat(world.configurations.writes).isZero();
  }

  @Test
  void takesNothingBackWhenTheDiskIsFull() {
    registry.declare("functions: {a: {image: x:1}}", "w.yaml", Map.of());
    world.configurations.writesUntilFull = 2;

    assertThatThrownBy(() -> registry.declare("functions: {a: {image: x:2}, b: {image: x}}", "w.yaml", Map.of()))
        .hasMessageContaining("could not be stored (No space left on device)");

    assertThat(world.names()).containsExactly("a");
    assertThat(world.function("a").source().toString()).isEqualTo("x:1");
    assertThat(new World(world.configurations).function("a").source().toString()).isEqualTo("x:1");
    assertThat(new World(world.configurations).names()).containsExactly("a");
  }

  @Test
  void refusesANameThatAnotherSourceOwns() {
    registry.declareFile("a.yaml", World.yaml("echo"), World.NO_FILES, Set.of());
    world.configurations.make("io.weir.function~by-hand", "name", "hand", "image", "x");
    registry.look("io.weir.function~by-hand");

    assertThatThrownBy(() -> registry.declare(World.yaml("echo"), "w.yaml", Map.of())).hasMessage("w.yaml:2: function echo: is "
        + "declared by a.yaml already; remove it there or choose another name");
    assertThatThrownBy(() -> registry.declareFile("b.yaml", World.yaml("echo"), World.NO_FILES, Set.of()))
        .hasMessageStartingWith("b.yaml:2: function echo: is declared by a.yaml already");
    assertThatThrownBy(() -> registry.declare(World.yaml("hand"), "w.yaml", Map.of()))
        .hasMessageContaining("is declared by configuration io.weir.function~by-hand already");
  }

  @Test
  void refusesAPathInsideAnother() {
    registry.declare(World.yaml("a", "triggers:", "  - http: /x/y"), "w.yaml", Map.of());

    for (String path : new String[] {"/x/y", "/x", "/x/y/z"}) {
      assertThatThrownBy(() -> registry.declare(World.yaml("b", "triggers:", "  - http: " + path), "w.yaml", Map.of()))
          .hasMessage("w.yaml:5: function b: trigger.http: '" + path + "' collides with '/x/y' of function a (the API);"
              + " choose a path that is not inside the other");
    }
    registry.declare(World.yaml("b", "triggers:", "  - http: /x/yy"), "w.yaml", Map.of());
    assertThat(world.names()).containsExactly("a", "b");
  }

  @Test
  void refusesAServicePortThatAnotherFunctionHas() {
    registry.declareFile("a.yaml", World.yaml("a", "service: 9001"), World.NO_FILES, Set.of());

    assertThatThrownBy(() -> registry.declare(World.yaml("b", "cpus: 1", "service:", "  port: 9001"), "w.yaml", Map.of()))
        .hasMessage("w.yaml:6: function b: service.port: '9001' is that of function a (a.yaml) already; choose another, or "
            + "none and the gateway chooses one");
    assertThatThrownBy(() -> registry.declare("functions:\n  c: {image: x, service: 9002}\n"
        + "  d: {image: x, service: 9002}", "w.yaml", Map.of()))
        .hasMessageStartingWith("w.yaml:3: function d: service.port: '9002' is that of function c (line 2) already");
    registry.declare(World.yaml("b", "service: 9003"), "w.yaml", Map.of());
    assertThat(world.names()).containsExactly("a", "b");
  }

  @Test
  void refusesTwoPathsOfOneTextThatCollide() {
    assertThatThrownBy(() -> registry.declare("""
        functions:
          a:
            image: x
            triggers: [{http: /x}]
          b:
            image: x
            triggers:
              - http: /x/y
        """, "w.yaml", Map.of())).hasMessage("w.yaml:8: function b: trigger.http: '/x/y' collides with '/x' of function a "
            + "(line 2); choose a path that is not inside the other");
  }

  @Test
  void letsTwoFunctionsSwapTheirPaths() {
    String text = "functions: {a: {image: x, triggers: [{http: /%s}]}, b: {image: x, triggers: [{http: /%s}]}}";
    registry.declare(text.formatted("one", "two"), "w.yaml", Map.of());
    registry.declare(text.formatted("two", "one"), "w.yaml", Map.of());
    registry.look("io.weir.function~a");

    assertThat(world.function("a").httpTriggers().findFirst().orElseThrow().path()).isEqualTo("/two");
    assertThat(registry.problems()).isEmpty();
  }

  @Test
  void runsTheFormerVersionOfAConfigurationThatWentBad() {
    var entry = world.configurations.make(ECHO_PID, "image", "x:1");
    registry.look(ECHO_PID);
    entry.set("image", "x:2", "port", "many");
    registry.look(ECHO_PID);

    assertThat(world.function("echo").source().toString()).isEqualTo("x:1");
    assertThat(registry.problems()).containsExactly(
        new Problem(ECHO_PID, 0, "port: 'many' is not allowed; use a whole number", World.NOON));

    entry.set("image", "x:2");
    registry.look(ECHO_PID);
    assertThat(registry.problems()).isEmpty();
    assertThat(world.heard.drain()).containsExactly("added echo", "changed echo x:1 x:2");
  }

  @Test
  void letsTheFormerOfTwoConfigurationsRunUntilItGoes() {
    world.configurations.make("io.weir.function~one", "name", "a", "image", "x:1");
    registry.look("io.weir.function~one");
    world.configurations.make("io.weir.function~two", "name", "a", "image", "x:2");
    registry.look("io.weir.function~two");

    assertThat(world.function("a").source().toString()).isEqualTo("x:1");
    assertThat(registry.problems()).singleElement().satisfies(problem -> {
      assertThat(problem.source()).isEqualTo("io.weir.function~two");
      assertThat(problem.message()).startsWith("function a: is declared by configuration io.weir.function~one already");
    });

    world.configurations.entries.remove("io.weir.function~one");
    registry.look("io.weir.function~one");
    assertThat(world.function("a").source().toString()).isEqualTo("x:2");
    assertThat(registry.problems()).isEmpty();
    assertThat(world.heard.drain()).containsExactly("added a", "removed a", "added a");
  }

  @Test
  void tellsOfARenamedConfigurationAsRemovedAndAdded() {
    var entry = world.configurations.make("io.weir.function~one", "name", "a", "image", "x");
    registry.look("io.weir.function~one");
    entry.set("name", "b", "image", "x");
    registry.look("io.weir.function~one");

    assertThat(world.heard.drain()).containsExactly("added a", "removed a", "added b");
  }

  @Test
  void looksAtAConfigurationWhateverItsPid() {
    for (String pid : new String[] {"io.weir.function~a*", "io.weir.function~(b", "io.weir.function~c\\"}) {
      world.configurations.make(pid, "name", "f" + world.names().size(), "image", "x");
      registry.look(pid);
    }

    assertThat(world.names()).containsExactly("f0", "f1", "f2");
  }

  @Test
  void tellsANewListenerOfEveryFunctionOnce() {
    registry.declare("functions: {a: {image: x}, b: {image: x}}", "w.yaml", Map.of());
    World.Recorder late = new World.Recorder();

    registry.addListener(late);
    registry.declare(World.yaml("c"), "w.yaml", Map.of());
    registry.removeListener(late);
    registry.declare(World.yaml("d"), "w.yaml", Map.of());

    assertThat(late.drain()).containsExactly("added a", "added b", "added c");
  }

  @Test
  void survivesAListenerThatThrows() {
    registry.addListener(new FunctionListener() {
      @Override
      public void functionAdded(FunctionSpec function) {
        throw new IllegalStateException("on purpose");
      }

      @Override
      public void functionChanged(FunctionSpec before, FunctionSpec after) {}

      @Override
      public void functionRemoved(FunctionSpec function) {}
    });
    World.Recorder last = new World.Recorder();
    registry.addListener(last);

    registry.declare(World.yaml("a"), "w.yaml", Map.of());

    assertThat(last.drain()).containsExactly("added a");
  }

  @Test
  void removesWhatTheApiOrAConfigurationDeclared() {
    registry.declare(World.yaml("a"), "w.yaml", Map.of());
    world.configurations.make("io.weir.function~9", "name", "b", "image", "x");
    registry.look("io.weir.function~9");

    assertThat(registry.remove(new FunctionName("a"))).isTrue();
    assertThat(registry.remove(new FunctionName("a"))).isFalse();
    assertThat(registry.remove(new FunctionName("b"))).isTrue();
    assertThat(world.names()).isEmpty();
    assertThat(world.configurations.entries).isEmpty();
  }

  @Test
  void doesNotRemoveWhatAFileWouldBringBack() {
    registry.declareFile("a.yaml", World.yaml("echo"), World.NO_FILES, Set.of());

    assertThatThrownBy(() -> registry.remove(new FunctionName("echo"))).isInstanceOf(InvalidDeclaration.class)
        .hasMessageStartingWith("a.yaml: function echo: is declared in the watched file a.yaml; remove it there");
    assertThat(world.names()).containsExactly("echo");
  }

  @Test
  void makesTheFunctionsOfAFileExactlyThoseOfItsText() {
    registry.declare(World.yaml("mine"), "w.yaml", Map.of());
    registry.declareFile("a.yaml", "functions: {a: {image: x}, b: {image: x}}", World.NO_FILES, Set.of());
    registry.declareFile("a.yaml", "functions: {b: {image: x}, c: {image: x}}", World.NO_FILES, Set.of());
    assertThat(world.names()).containsExactly("b", "c", "mine");

    registry.removeFile("a.yaml");
    assertThat(world.names()).containsExactly("mine");
  }

  @Test
  void handsFunctionsOverWhenAFileIsRenamed() {
    registry.declareFile("a.yaml", World.yaml("echo"), World.NO_FILES, Set.of());
    registry.declareFile("b.yaml", World.yaml("echo"), World.NO_FILES, Set.of("a.yaml"));
    registry.removeFile("a.yaml");

    assertThat(world.heard.drain()).containsExactly("added echo");
    assertThat(registry.origin(new FunctionName("echo"))).contains("b.yaml");
  }

  @Test
  void givesAPathOfADroppedFunctionToTheNextInTheSameFile() {
    registry.declareFile("a.yaml", World.yaml("a", "triggers:", "  - http: /x"), World.NO_FILES, Set.of());
    registry.declareFile("a.yaml", World.yaml("b", "triggers:", "  - http: /x"), World.NO_FILES, Set.of());

    assertThat(world.names()).containsExactly("b");
    assertThat(registry.problems()).isEmpty();
  }

  @Test
  void takesHandlersThatCameAlong() {
    registry.declare("functions: {a: {runtime: python, handler: a.py}}", "w.yaml", Map.of("a.py", "one"));
    registry.declare("functions: {a: {runtime: python, handler: a.py}}", "w.yaml", Map.of("a.py", "two"));

    assertThat(world.function("a").source()).isEqualTo(new Source.Handler(Language.PYTHON, "a.py", "two"));
    assertThat(new World(world.configurations).function("a")).isEqualTo(world.function("a"));
    assertThatThrownBy(() -> registry.declare("functions:\n  a:\n    runtime: python\n    handler: b.py", "w.yaml",
        Map.of("a.py", "two"))).hasMessageStartingWith("w.yaml:4: function a: handler: 'b.py' was not sent along");
  }

  @Test
  void asksEveryCheckBeforeItAcceptsAnything() {
    registry.addCheck(function -> { });
    registry.addCheck(World.refusing("b", "memory"));

    assertThatThrownBy(() -> registry.declare(
        "functions:\n  a: {image: x}\n  b:\n    image: x\n    memory: 1GiB\n", "w.yaml", Map.of()))
        .isInstanceOf(InvalidDeclaration.class).hasMessage("w.yaml:5: function b: memory: not here");
    assertThat(world.names()).isEmpty();
    assertThat(world.configurations.writes).isZero();
  }

  @Test
  void namesTheLineOfTheFunctionWhereTheKeyIsNotWritten() {
    registry.addCheck(World.refusing("b", "memory"));

    assertThatThrownBy(() -> registry.declare("functions:\n  a: {image: x}\n  b: {image: x}", "w.yaml", Map.of()))
        .hasMessage("w.yaml:3: function b: memory: not here");
  }

  @Test
  void asksOnlyAboutWhatIsNewOrChanged() {
    registry.declare("functions: {a: {image: x}, b: {image: x}}", "w.yaml", Map.of());
    List<String> asked = new ArrayList<>();
    registry.addCheck(function -> asked.add(function.name() + " " + function.source()));

    registry.declare("functions: {a: {image: x}, b: {image: y}, c: {image: x}}", "w.yaml", Map.of());

    assertThat(asked).containsExactly("b y", "c x");
  }

  @Test
  void offersWhatWasKeptWithoutAsking() {
    registry.declare(World.yaml("a"), "w.yaml", Map.of());
    World restarted = new World(world.configurations);
    restarted.registry.addCheck(World.refusing("a", "memory"));
    restarted.registry.look("io.weir.function~a");
    restarted.registry.declare(World.yaml("a"), "w.yaml", Map.of());

    assertThat(restarted.names()).containsExactly("a");
    assertThat(restarted.registry.problems()).isEmpty();
  }

  @Test
  void asksAgainOnceTheChecksAreOthers() {
    FunctionCheck strict = World.refusing("a", "memory");
    registry.addCheck(strict);
    assertThatThrownBy(() -> registry.declare(World.yaml("a"), "w.yaml", Map.of())).hasMessageContaining("not here");

    registry.removeCheck(strict);
    registry.addCheck(function -> {
      throw new IllegalStateException("a check that fails knows nothing");
    });
    registry.declare(World.yaml("a"), "w.yaml", Map.of());

    assertThat(world.names()).containsExactly("a");
  }

  @Test
  @Timeout(60)
  void staysUsableWhileACheckTakesItsTime() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    registry.addCheck(function -> {
      if (function.name().value().equals("slow")) {
        entered.countDown();
        World.await(go);
      }
    });
    CompletableFuture<List<FunctionSpec>> slow = CompletableFuture.supplyAsync(() ->
        registry.declare(World.yaml("slow", "triggers:", "  - http: /x"), "w.yaml", Map.of()));
    World.await(entered);

    registry.declare(World.yaml("quick", "triggers:", "  - http: /x"), "w.yaml", Map.of());
    registry.addListener(new World.Recorder());
    assertThat(world.names()).containsExactly("quick");
    go.countDown();

    assertThatThrownBy(() -> slow.get(20, TimeUnit.SECONDS)).as("what came first stands")
        .hasMessageContaining("collides with '/x' of function quick");
    assertThat(world.names()).containsExactly("quick");
  }

  @Test
  @Timeout(60)
  void showsWhatACheckSaysOfAConfiguration() throws Exception {
    BlockingQueue<Thread> askedOn = new LinkedBlockingQueue<>();
    FunctionCheck check = function -> {
      askedOn.add(Thread.currentThread());
      if (function.limits().memoryBytes() > 512 << 20) {
        throw new InvalidFunction("memory", "memory: not here");
      }
    };
    registry.addCheck(check);
    var entry = world.configurations.make(ECHO_PID, "image", "x:1");
    registry.look(ECHO_PID);
    assertThat(world.heard.calls.poll(20, TimeUnit.SECONDS)).isEqualTo("added echo");
    assertThat(askedOn.take()).as("who tells of configurations does not wait").isNotEqualTo(Thread.currentThread());

    entry.set("image", "x:1", "memory", "1GiB");
    registry.look(ECHO_PID);
    while (registry.problems().isEmpty()) {
      Thread.onSpinWait();
    }
    assertThat(registry.problems()).containsExactly(new Problem(ECHO_PID, 0, "memory: not here", World.NOON));
    assertThat(world.function("echo").limits().memoryBytes()).as("the former runs on").isEqualTo(128 << 20);

    entry.set("image", "x:2");
    registry.look(ECHO_PID);
    assertThat(world.heard.calls.poll(20, TimeUnit.SECONDS)).isEqualTo("changed echo x:1 x:2");
    assertThat(registry.problems()).isEmpty();
  }

  @Test
  @Timeout(60)
  void forgetsAConfigurationThatChangedWhileItWasChecked() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    registry.addCheck(function -> {
      entered.countDown();
      World.await(go);
    });
    var entry = world.configurations.make(ECHO_PID, "image", "x:1");
    registry.look(ECHO_PID);
    World.await(entered);
    entry.set("image", "x:2");
    registry.look(ECHO_PID);
    world.configurations.make("io.weir.function~last", "image", "x");
    registry.look("io.weir.function~last");
    go.countDown();

    assertThat(world.heard.calls.poll(20, TimeUnit.SECONDS)).isEqualTo("added echo");
    assertThat(world.heard.calls.poll(20, TimeUnit.SECONDS)).isEqualTo("added last");
    assertThat(world.function("echo").source().toString()).isEqualTo("x:2");
  }
}

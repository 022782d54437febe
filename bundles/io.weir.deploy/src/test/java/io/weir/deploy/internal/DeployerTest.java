package io.weir.deploy.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.deployment.Deployment;
import io.weir.deployment.Deployment.State;
import io.weir.deployment.Refused;
import io.weir.weirpkg.Signing;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeployerTest {
  @TempDir
  Path folder;
  private World world;

  @BeforeEach
  void open() {
    world = new World(folder);
  }

  @AfterEach
  void close() {
    world.deployer().close();
    assertThat(folder.resolve("books/incoming")).satisfiesAnyOf(
        incoming -> assertThat(incoming).doesNotExist(), incoming -> assertThat(incoming).isEmptyDirectory());
  }

  @Test
  void aPackageIsInstalledUnderNamesOfItsOwn() throws Exception {
    Deployment end = world.installed(World.thermo("1.0.0", "one"));

    assertThat(end.state()).as(end.detail()).isEqualTo(State.INSTALLED);
    assertThat(world.image("thermo")).matches("localhost/weir\\.pkg/thermo:[0-9a-f]{16}");
    assertThat(world.images).containsExactly(world.image("thermo"));
    assertThat(world.deployer().packages()).singleElement().satisfies(installed -> {
      assertThat(installed.version()).isEqualTo("1.0.0");
      assertThat(installed.functions()).extracting(Object::toString).containsExactly("thermo");
      assertThat(installed.installed()).contains(World.NOON);
    });
    assertThat(world.events).extracting(event -> event.state()).containsExactly("loading", "loading", "rehearsing", "switching",
        "installed");
    assertThat(world.events).extracting(event -> event.percent()).isSorted().endsWith(100);
  }

  @Test
  void clearingWhatAnEarlierLifeLeftSparesAPackageThatArrivesAtOnce() throws Exception {
    for (int i = 0; i < 2_000; i++) {
      Files.writeString(Files.createDirectories(folder.resolve("books/incoming/leftover" + i)).resolve("0"), "");
    }
    Deployer next = world.again();
    try {
      String id = next.install(new ByteArrayInputStream(World.thermo("1.0.0", "one")), "test").id();

      Deployment end = World.ended(next, id);
      assertThat(end.state()).as(end.detail()).isEqualTo(State.INSTALLED);
    } finally {
      next.close();
    }
  }

  @Test
  void anotherVersionTakesOverAndTheFormerImageGoes() throws Exception {
    world.installed(World.thermo("1.0.0", "one"));
    String before = world.image("thermo");

    Deployment end = world.installed(World.thermo("1.1.0", "two"));

    assertThat(end.state()).isEqualTo(State.INSTALLED);
    assertThat(end.replaces()).contains("1.0.0");
    assertThat(world.image("thermo")).isNotEqualTo(before);
    World.await(() -> world.images.equals(java.util.Set.of(world.image("thermo"))));
  }

  @Test
  void whatStillRunsKeepsItsImage() throws Exception {
    world.installed(World.thermo("1.0.0", "one"));
    String before = world.image("thermo");
    world.used.add(before);

    world.installed(World.thermo("1.1.0", "two"));
    world.deployer().close();
    assertThat(world.images).contains(before);
    world.used.clear();

    Deployer next = world.again();
    World.ended(next, next.install(new ByteArrayInputStream(World.thermo("1.1.0", "two")), "again").id());
    World.await(() -> world.images.equals(java.util.Set.of(world.image("thermo"))));
    next.close();
  }

  @Test
  void theSameFunctionsAreNotStartedOnTrialAgain() throws Exception {
    world.installed(World.thermo("1.0.0", "one"));
    world.installed(World.thermo("1.0.1", "one"));

    assertThat(world.rehearsed).hasSize(1);
    assertThat(world.deployer().packages().get(0).version()).isEqualTo("1.0.1");
  }

  @Test
  void whatDoesNotStartLeavesEverythingAsItWas() throws Exception {
    world.installed(World.thermo("1.0.0", "one"));
    String before = world.image("thermo");
    world.stubborn = spec -> "it ended with exit code 3; its last words: no such file";

    Deployment end = world.installed(World.thermo("1.1.0", "two"));

    assertThat(end.state()).isEqualTo(State.ROLLED_BACK);
    assertThat(end.detail()).contains("function thermo did not start", "no such file", "1.0.0 runs on");
    assertThat(world.image("thermo")).isEqualTo(before);
    assertThat(world.deployer().packages().get(0).version()).isEqualTo("1.0.0");
    World.await(() -> world.images.equals(java.util.Set.of(before)));
  }

  @Test
  void anImageThatCannotBeLoadedLeavesEverythingAsItWas() throws Exception {
    world.installed(World.thermo("1.0.0", "one"));
    String before = world.image("thermo");
    world.refusesArchives = true;

    Deployment end = world.installed(World.thermo("1.1.0", "two"));

    assertThat(end.state()).isEqualTo(State.ROLLED_BACK);
    assertThat(end.detail()).contains("no such layer", "1.0.0 runs on");
    assertThat(world.image("thermo")).isEqualTo(before);
    assertThat(world.rehearsed).hasSize(1);
  }

  @Test
  void whatFailsToTakeOverIsPutBack() throws Exception {
    world.installed(World.thermo("1.0.0", "one"));
    String before = world.image("thermo");
    world.runs("thermo", world.functions().get(0));
    world.broken = true;

    Deployment end = world.installed(World.thermo("1.1.0", "two"));

    assertThat(end.state()).isEqualTo(State.ROLLED_BACK);
    assertThat(end.detail()).contains("is broken: exit code 1");
    assertThat(world.image("thermo")).isEqualTo(before);
  }

  @Test
  void whatTakesTooLongToTakeOverIsPutBack() throws Exception {
    world.deployer().close();
    world = new World(new Settings(folder.resolve("books"), folder.resolve("trust.d"), true, Optional.empty(), 1 << 20,
        Duration.ofMillis(100)));
    world.installed(World.thermo("1.0.0", "one"));
    String before = world.image("thermo");
    world.runs("thermo", world.functions().get(0));

    Deployment end = world.installed(World.thermo("1.1.0", "two"));

    assertThat(end.detail()).contains("did not take over");
    assertThat(world.image("thermo")).isEqualTo(before);
  }

  @Test
  void functionsThatCollideAreRolledBack() throws Exception {
    Deployment end = world.installed(World.pack("p", "1", "taken localhost/thermo:1", Optional.empty(), "x", Optional.empty()));

    assertThat(end.state()).isEqualTo(State.ROLLED_BACK);
    assertThat(end.detail()).contains("declared by f.yaml already", "nothing was changed");
    assertThat(world.functions()).isEmpty();
  }

  @Test
  void withATrustedKeyOnlyItsPackagesAreTaken() throws Exception {
    KeyPair ours = Signing.newKey();
    Files.createDirectories(folder.resolve("trust.d"));
    Files.writeString(folder.resolve("trust.d/us.pem"), Signing.pem(ours.getPublic()));

    assertRefused(Refused.Code.UNSIGNED, World.thermo("1.0.0", "one"));
    assertRefused(Refused.Code.UNTRUSTED, World.signed("1.0.0", "one", Signing.newKey().getPrivate()));
    Deployment end = world.installed(World.signed("1.0.0", "one", ours.getPrivate()));

    assertThat(end.signer()).isEqualTo("us.pem");
    assertThat(world.deployer().packages().get(0).signer()).isEqualTo("us.pem");
  }

  @Test
  void whatCannotBeInstalledIsRefusedAtOnce() throws Exception {
    assertRefused(Refused.Code.BAD_PACKAGE, new byte[] {1, 2, 3});
    assertRefused(Refused.Code.BAD_PACKAGE, java.util.Arrays.copyOf(World.thermo("1", "one"), 300));
    assertRefused(Refused.Code.WRONG_ARCHITECTURE,
        World.pack("p", "1", "thermo localhost/thermo:1", Optional.of("arm64"), "one", Optional.empty()));
    assertRefused(Refused.Code.INVALID_DECLARATION, World.pack("p", "1", "wrong", Optional.empty(), "one", Optional.empty()));
    assertThatThrownBy(() -> world.install(World.pack("p", "1", "a localhost/elsewhere:1", Optional.empty(), "one", Optional.empty())))
        .isInstanceOf(Refused.class).hasMessageContaining("localhost/elsewhere:1 is neither in the package nor on this gateway");
    assertRefused(Refused.Code.PACKAGE_TOO_LARGE, World.thermo("1", "x".repeat(2 << 20)));
    assertThat(world.functions()).isEmpty();
    assertThat(world.images).isEmpty();
  }

  private void assertRefused(Refused.Code code, byte[] bytes) {
    assertThatThrownBy(() -> world.install(bytes)).isInstanceOfSatisfying(Refused.class,
        refused -> assertThat(refused.code()).isEqualTo(code));
  }

  @Test
  void aDiskThatTakesNothingIsToldFromAPackageThatIsBroken() throws Exception {
    world.deployer().close();
    Files.writeString(Files.createDirectories(folder).resolve("file"), "not a folder");
    world = new World(new Settings(folder.resolve("file"), folder.resolve("trust.d"), true, Optional.empty(), 1 << 20,
        Duration.ofSeconds(5)));

    assertRefused(Refused.Code.NO_SPACE, World.thermo("1.0.0", "one"));
  }

  @Test
  void oneDeploymentIsUnderWayAtATime() throws Exception {
    world.installed(World.thermo("0.9.0", "none"));
    world.gate = new CountDownLatch(1);
    Deployment first = world.install(World.thermo("1.0.0", "one"));

    assertRefused(Refused.Code.BUSY, World.thermo("1.1.0", "two"));
    assertThatThrownBy(() -> world.deployer().remove("thermo")).isInstanceOf(Refused.class);
    world.gate.countDown();

    assertThat(World.ended(world.deployer(), first.id()).state()).isEqualTo(State.INSTALLED);
    assertThat(world.installed(World.thermo("1.1.0", "two")).state()).isEqualTo(State.INSTALLED);
    assertThat(world.deployer().recent()).extracting(Deployment::version).containsExactly("1.1.0", "1.0.0", "0.9.0");
  }

  @Test
  void aPackageIsRemovedWithItsFunctionsAndImages() throws Exception {
    world.installed(World.thermo("1.0.0", "one"));

    World.await(() -> world.deployer().remove("thermo"));

    assertThat(world.functions()).isEmpty();
    assertThat(world.deployer().packages()).isEmpty();
    World.await(world.images::isEmpty);
    assertThat(world.deployer().remove("thermo")).isFalse();
  }

  @Test
  void whatIsInstalledIsKnownAfterARestart() throws Exception {
    world.installed(World.thermo("1.0.0", "one"));

    Deployer next = world.again();

    assertThat(next.packages()).singleElement().satisfies(it -> assertThat(it.version()).isEqualTo("1.0.0"));
    next.close();
  }

  @Test
  void aGatewayThatGoesDownInstallsNothing() throws Exception {
    world.gate = new CountDownLatch(1);
    Deployment first = world.install(World.thermo("1.0.0", "one"));
    World.await(() -> !world.rehearsed.isEmpty());
    Thread closing = new Thread(world.deployer()::close);
    closing.start();
    world.stubborn = spec -> "the gateway is going down";
    world.gate.countDown();
    closing.join();

    assertThat(world.deployer().find(first.id()).orElseThrow().state()).isEqualTo(State.ROLLED_BACK);
    assertThat(world.functions()).isEmpty();
  }
}

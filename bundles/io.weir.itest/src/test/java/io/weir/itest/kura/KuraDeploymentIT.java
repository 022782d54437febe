package io.weir.itest.kura;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.jar.JarInputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Version;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.service.deploymentadmin.DeploymentAdmin;
import org.osgi.service.deploymentadmin.DeploymentException;
import org.osgi.service.deploymentadmin.DeploymentPackage;

/**
 * The deployment package in the DeploymentAdmin that Kura 5 ships, with no other packages to import than Kura's: what happens
 * when somebody uploads it in Kura's web admin.
 */
class KuraDeploymentIT {
  private static final Path HOUSE = Path.of(System.getProperty("weir.bundles")).resolve("..");
  private static final Path SHIPPED = Path.of(System.getProperty("weir.kura.shipped"));
  @TempDir
  private static Path work;
  private static Path older;
  private static Path newer;

  @TempDir
  private Path folder;
  private Framework framework;
  private BundleContext context;
  private DeploymentAdmin admin;

  @BeforeAll
  static void make() throws IOException, InterruptedException {
    older = packageOf("2026-11-30T12:00:00Z");
    newer = packageOf("2026-12-24T18:00:00Z");
  }

  /** As {@code distrib/package} makes it of a commit of that time. */
  private static Path packageOf(String time) throws IOException, InterruptedException {
    Path out = Files.createTempDirectory(work, "made");
    Path said = out.resolveSibling(out.getFileName() + ".log");
    Process packer = new ProcessBuilder(HOUSE.resolve("distrib/package").toString(), "--time", time, "--only", "dp",
        "--dist", System.getProperty("weir.dist"), "--out", out.toString()).redirectErrorStream(true)
        .redirectOutput(said.toFile()).start();
    assertThat(packer.waitFor()).as(() -> read(said)).isZero();
    try (Stream<Path> files = Files.list(out)) {
      return files.filter(it -> it.toString().endsWith(".dp")).findFirst().orElseThrow();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @BeforeEach
  void startFramework() throws IOException, BundleException {
    Map<String, String> settings = new HashMap<>();
    settings.put("org.osgi.framework.storage", folder.resolve("cache").toString());
    settings.put("felix.log.level", "1");
    settings.put("weir.data", folder.resolve("data").toString());
    settings.put("weir.run", folder.resolve("run").toString());
    settings.put("org.osgi.framework.system.packages.extra",
        kurasOwnPackages() + ",org.osgi.service.deploymentadmin;version=1.0.0,org.osgi.service.deploymentadmin.spi;version=1.0.0");
    framework = ServiceLoader.load(FrameworkFactory.class).iterator().next().newFramework(settings);
    framework.start();
    context = framework.getBundleContext();
    for (Path jar : Stream.concat(KuraHost.files(SHIPPED.resolve("kura-5"), "").stream(),
        KuraHost.files(SHIPPED.resolve("kura-5-deployment"), "").stream()).toList()) {
      context.installBundle(jar.toUri().toString());
    }
    for (Bundle bundle : context.getBundles()) {
      bundle.start();
    }
    admin = context.getService(context.getServiceReference(DeploymentAdmin.class));
  }

  /** What of it is not the framework's or that of bundles which Kura ships and are here, too. */
  private static String kurasOwnPackages() throws IOException {
    try (InputStream in = KuraDeploymentIT.class.getResourceAsStream("/kura-5.5-and-5.6.packages")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
          .filter(line -> line.startsWith("org.eclipse.kura") || line.startsWith("org.slf4j"))
          .map(line -> line.replace(" ", ";version=")).distinct().collect(Collectors.joining(","));
    }
  }

  @AfterEach
  void stopFramework() throws BundleException, InterruptedException {
    framework.stop();
    framework.waitForStop(30_000);
  }

  private DeploymentPackage install(Path file) throws IOException, DeploymentException {
    try (InputStream in = Files.newInputStream(file)) {
      return admin.installDeploymentPackage(in);
    }
  }

  /** Symbolic names and versions of Weir's bundles that run. */
  private Map<String, Version> running() {
    return Arrays.stream(context.getBundles()).filter(it -> it.getSymbolicName().startsWith("io.weir."))
        .filter(it -> it.getState() == Bundle.ACTIVE)
        .collect(Collectors.toMap(Bundle::getSymbolicName, Bundle::getVersion, (a, b) -> a, TreeMap::new));
  }

  private List<String> ofWeir() {
    return Arrays.stream(context.getBundles()).map(Bundle::getSymbolicName).filter(it -> it.startsWith("io.weir.")).toList();
  }

  private static Map<String, Version> in(Path file) throws IOException {
    try (JarInputStream in = new JarInputStream(Files.newInputStream(file))) {
      return in.getManifest().getEntries().values().stream().collect(Collectors.toMap(
          it -> it.getValue("Bundle-SymbolicName"), it -> new Version(it.getValue("Bundle-Version")), (a, b) -> a, TreeMap::new));
    }
  }

  @Test
  void everyBundleOfThePackageRuns() throws Exception {
    DeploymentPackage installed = install(older);

    assertThat(installed.getName()).isEqualTo("weir");
    assertThat(in(older)).hasSizeGreaterThan(15);
    assertThat(running()).isEqualTo(in(older));
    assertThat(ofWeir()).hasSameSizeAs(in(older).keySet());
  }

  @Test
  void aNewerPackageUpdatesEveryBundleInItsPlace() throws Exception {
    install(older);
    Map<String, Long> before = identities();

    install(newer);

    assertThat(admin.listDeploymentPackages()).filteredOn(it -> it.getName().equals("weir")).hasSize(1);
    assertThat(running()).isEqualTo(in(newer));
    assertThat(identities()).isEqualTo(before);
    Map<String, Version> olders = in(older);
    assertThat(in(newer)).allSatisfy((name, version) -> assertThat(version).as(name).isGreaterThan(olders.get(name)));
  }

  private Map<String, Long> identities() {
    return Arrays.stream(context.getBundles()).filter(it -> it.getSymbolicName().startsWith("io.weir."))
        .collect(Collectors.toMap(Bundle::getSymbolicName, Bundle::getBundleId));
  }

  @Test
  void aPackageThatIsCutOffLeavesTheOneBefore() throws Exception {
    install(older);
    byte[] whole = Files.readAllBytes(newer);

    assertThatThrownBy(() -> admin.installDeploymentPackage(new ByteArrayInputStream(whole, 0, whole.length / 2)))
        .isInstanceOf(DeploymentException.class);

    assertThat(running()).isEqualTo(in(older));
  }

  @Test
  void nothingOfItIsLeftWhenItIsUninstalled() throws Exception {
    DeploymentPackage installed = install(older);

    installed.uninstall();

    assertThat(ofWeir()).isEmpty();
    assertThat(admin.getDeploymentPackage("weir")).isNull();
  }
}

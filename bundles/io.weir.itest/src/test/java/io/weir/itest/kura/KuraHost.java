package io.weir.itest.kura;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Consumer;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.eclipse.kura.KuraException;
import org.eclipse.kura.configuration.ConfigurationService;
import org.eclipse.kura.crypto.CryptoService;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * A real Felix with the bundles that Weir brings to Kura, and with what they find there: Kura's API and the capabilities of
 * its process, but no servlet API and no other bundle of Weir's own distribution. Its configurations are gone when it ends, as
 * Kura's are.
 */
final class KuraHost implements AutoCloseable {
  private static final Path DIST = Path.of(System.getProperty("weir.dist")).resolve("bundle");
  /** Bundles of another platform, for example those of Kura itself; with the framework on the class path, it is used. */
  private static final String PLATFORM = System.getProperty("weir.kura.platform", "");
  private static final Path HOUSE = Path.of(System.getProperty("weir.bundles"));
  /** With the versions that Kura 5.5 and 5.6 export. */
  private static final List<String> KURA = List.of("org.eclipse.kura;version=1.7.0",
      "org.eclipse.kura.configuration;version=1.2.0", "org.eclipse.kura.configuration.metatype;version=1.1.0",
      "org.eclipse.kura.crypto;version=1.3.0", "org.eclipse.kura.message;version=1.5.0",
      "org.eclipse.kura.cloudconnection.message;version=1.0.0", "org.eclipse.kura.cloudconnection.publisher;version=1.0.0",
      "org.eclipse.kura.cloudconnection.subscriber;version=1.0.0",
      "org.eclipse.kura.cloudconnection.subscriber.listener;version=1.0.0",
      "org.eclipse.kura.cloudconnection.listener;version=1.0.0", "org.eclipse.kura.cloudconnection.request;version=1.0.0",
      "org.eclipse.kura.watchdog;version=1.0.2", "org.eclipse.kura.security.tamper.detection;version=1.0.0",
      "org.eclipse.kura.type;version=1.1.0", "org.eclipse.kura.wire;version=2.0.0",
      "org.eclipse.kura.wire.graph;version=1.0.0");
  /** net_admin, net_raw, dac_override, dac_read_search, net_bind_service, sys_boot, kill, sys_module, sys_time, … */
  private static final String CAPABILITIES = "CapEff:\t0000000406413426\n";
  /** What the tests speak with, so that they and the bundles mean the same classes. */
  private static final List<String> SHARED = List.of("org.slf4j;version=1.7.36", "org.slf4j.event;version=1.7.36",
      "org.slf4j.helpers;version=1.7.36", "org.slf4j.spi;version=1.7.36", "org.osgi.service.cm;version=1.6.1",
      "org.osgi.service.wireadmin;version=1.0.1");

  private final Framework framework;
  private final BundleContext context;
  private final FakeKura kura;
  final FakeCrypto crypto = new FakeCrypto();

  KuraHost(Path folder, FakeKura.Disk disk) throws IOException, BundleException, InvalidSyntaxException, KuraException {
    this(folder, disk, host -> { });
  }

  /** @param before registers services that are there before any bundle of Weir starts */
  KuraHost(Path folder, FakeKura.Disk disk, Consumer<BundleContext> before)
      throws IOException, BundleException, InvalidSyntaxException, KuraException {
    Map<String, String> settings = new HashMap<>();
    settings.put("org.osgi.framework.storage", folder.resolve("cache").toString());
    settings.put("org.osgi.framework.storage.clean", "onFirstInit");
    settings.put("org.osgi.framework.system.packages.extra", String.join(",", Stream.of(KURA.stream(), SHARED.stream(),
        api().map(name -> name + ";version=1.0.0")).flatMap(it -> it).toList()));
    settings.put("felix.log.level", "1");
    settings.put("felix.cm.dir", folder.resolve("cache/config").toString());
    settings.put("weir.data", folder.resolve("data").toString());
    settings.put("weir.run", folder.resolve("run").toString());
    settings.put("weir.proc", folder.resolve("proc").toString());
    Files.writeString(Files.createDirectories(folder.resolve("proc/self")).resolve("status"), CAPABILITIES);
    framework = ServiceLoader.load(FrameworkFactory.class).iterator().next().newFramework(settings);
    framework.start();
    context = framework.getBundleContext();
    start(PLATFORM.isEmpty() ? files(DIST.resolve("platform"), "org.apache.felix.scr|org.apache.felix.configadmin|"
        + "org.osgi.service.component|org.osgi.util.promise|org.osgi.util.function") : files(Path.of(PLATFORM), ""));
    context.registerService(CryptoService.class, crypto, null);
    kura = new FakeKura(context, service(ConfigurationAdmin.class), crypto, disk);
    context.registerService(ConfigurationService.class, kura, new Hashtable<>(Map.of("kura.service.pid",
        "org.eclipse.kura.configuration.ConfigurationService")));
    before.accept(context);
    List<Path> weir = new ArrayList<>(files(DIST.resolve("weir"), "(?!io.weir.(api|console|secrets)-).*"));
    for (String own : List.of("io.weir.kura", "io.weir.kura.wire")) {
      weir.addAll(files(HOUSE.resolve(own).resolve("target"), own + "-[0-9].*(?<!sources|javadoc)"));
    }
    start(weir);
  }

  /** Weir's own API, which comes from the test's class path as well. */
  private static Stream<String> api() throws IOException {
    try (JarFile jar = new JarFile(files(DIST.resolve("weir"), "io.weir.api-").get(0).toFile())) {
      return jar.stream().map(JarEntry::getName).filter(name -> name.endsWith(".class")).toList().stream()
          .map(name -> name.substring(0, name.lastIndexOf('/')).replace('/', '.')).distinct();
    }
  }

  static List<Path> files(Path folder, String pattern) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.getFileName().toString().matches("(" + pattern + ").*\\.jar")).sorted().toList();
    }
  }

  private void start(List<Path> jars) throws BundleException {
    List<Bundle> installed = new ArrayList<>();
    for (Path jar : jars) {
      installed.add(context.installBundle(jar.toUri().toString()));
    }
    for (Bundle bundle : installed) {
      bundle.start();
    }
  }

  BundleContext context() {
    return context;
  }

  FakeKura kura() {
    return kura;
  }

  Bundle bundle(String name) {
    return Stream.of(context.getBundles()).filter(it -> it.getSymbolicName().equals(name)).findFirst().orElseThrow();
  }

  /**
   * The best service of that type. Asked for "all": Maven has Weir's bundles on the test's class path as well, and Felix would
   * leave out a service that is registered under a class of its bundle, too, because this framework could load another one.
   */
  <S> S service(Class<S> type) {
    try {
      ServiceReference<?>[] all = context.getAllServiceReferences(type.getName(), null);
      return all == null ? null : type.cast(context.getService(Stream.of(all).max(Comparator.naturalOrder()).orElseThrow()));
    } catch (InvalidSyntaxException e) {
      throw new IllegalArgumentException(type.getName(), e);
    }
  }

  /** A property of the service by which Kura knows a component. */
  Object property(String kuraPid, String key) {
    try {
      ServiceReference<?>[] found = context.getServiceReferences("org.eclipse.kura.configuration.ConfigurableComponent",
          "(kura.service.pid=" + kuraPid + ")");
      return found == null ? null : found[0].getProperty(key);
    } catch (InvalidSyntaxException e) {
      throw new IllegalArgumentException(kuraPid, e);
    }
  }

  @Override
  public void close() throws BundleException, InterruptedException {
    framework.stop();
    framework.waitForStop(30_000);
  }
}

package io.weir.itest.kura;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Version;
import org.osgi.framework.VersionRange;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** What Kura 5 asks of bundles, read from those that Weir brings there. */
class KuraBundlesTest {
  private static final Path DIST = Path.of(System.getProperty("weir.dist")).resolve("bundle");
  private static final Path HOUSE = Path.of(System.getProperty("weir.bundles"));
  /** One clause of a header: a name, then its attributes and directives. */
  private static final Pattern CLAUSE = Pattern.compile("([^,;=\"]+)((?:;[^,;=\"]+?:?=(?:\"[^\"]*\"|[^,;\"]*))*)(?:,|$)");
  private static List<JarFile> bundles;

  @BeforeAll
  static void read() throws IOException {
    List<Path> files = new ArrayList<>(KuraHost.files(DIST.resolve("weir"), "(?!io.weir.(console|secrets)-).*"));
    for (String own : List.of("io.weir.kura", "io.weir.kura.wire")) {
      files.addAll(KuraHost.files(HOUSE.resolve(own).resolve("target"), own + "-[0-9].*(?<!sources|javadoc)"));
    }
    bundles = files.stream().map(KuraBundlesTest::open).toList();
    assertThat(bundles).hasSizeGreaterThan(15);
  }

  private static JarFile open(Path file) {
    try {
      return new JarFile(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String header(JarFile bundle, String name) {
    try {
      return Optional.ofNullable(bundle.getManifest().getMainAttributes().getValue(name)).orElse("");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private record Clause(String name, String parameters) {
    String parameter(String key, String otherwise) {
      Matcher found = Pattern.compile(";\\s*" + Pattern.quote(key) + ":?=\"?([^\";]*)\"?").matcher(parameters);
      return found.find() ? found.group(1) : otherwise;
    }
  }

  private static List<Clause> clauses(String header) {
    List<Clause> clauses = new ArrayList<>();
    Matcher matcher = CLAUSE.matcher(header);
    while (matcher.find()) {
      clauses.add(new Clause(matcher.group(1).strip(), matcher.group(2)));
    }
    return clauses;
  }

  private static Map<String, List<Version>> capabilities() throws IOException {
    Map<String, List<Version>> exports = new HashMap<>();
    try (InputStream in = KuraBundlesTest.class.getResourceAsStream("/kura-5.5-and-5.6.packages")) {
      new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().filter(line -> !line.startsWith("#") && !line.isBlank())
          .map(line -> line.split(" ")).forEach(each -> exports.computeIfAbsent(each[0], it -> new ArrayList<>())
              .add(new Version(each[1])));
    }
    bundles.forEach(bundle -> clauses(header(bundle, "Export-Package")).forEach(clause -> exports.computeIfAbsent(
        clause.name, it -> new ArrayList<>()).add(new Version(clause.parameter("version", "0")))));
    ModuleLayer.boot().modules().forEach(module -> module.getDescriptor().exports().stream().filter(it -> !it.isQualified())
        .forEach(it -> exports.computeIfAbsent(it.source(), name -> new ArrayList<>()).add(Version.emptyVersion)));
    return exports;
  }

  @Test
  void requireNothingThatKuraOrJavaHasNot() throws IOException {
    Map<String, List<Version>> exports = capabilities();
    Map<String, List<String>> missing = new TreeMap<>();
    for (JarFile bundle : bundles) {
      List<String> here = clauses(header(bundle, "Import-Package")).stream()
          .filter(clause -> !clause.parameter("resolution", "mandatory").equals("optional"))
          .filter(clause -> exports.getOrDefault(clause.name, List.of()).stream()
              .noneMatch(new VersionRange(clause.parameter("version", "0"))::includes))
          .map(clause -> clause.name + " " + clause.parameter("version", "0")).toList();
      if (!here.isEmpty()) {
        missing.put(bundle.getName(), here);
      }
    }

    assertThat(missing).isEmpty();
  }

  @Test
  void requireNoMoreThanJava17AndTheComponentsOfOsgiRelease7() {
    for (JarFile bundle : bundles) {
      String required = header(bundle, "Require-Capability");
      List<String> needed = Stream.of(required.split(",(?=osgi\\.)")).filter(it -> !it.isBlank())
          .filter(it -> !it.contains("effective:=active") && !it.contains("resolution:=optional")).toList();

      assertThat(needed).as(bundle.getName()).allMatch(it -> it.matches(
          "osgi\\.ee;filter:=\"\\(&\\(osgi\\.ee=JavaSE\\)\\(version=(1\\.8|9|1[0-7])\\)\\)\"")
          || it.matches("osgi\\.extender;filter:=\"\\(&\\(osgi\\.extender=osgi\\.component\\)"
              + "\\(version>=1\\.[0-4]\\.0\\)\\(!\\(version>=2\\.0\\.0\\)\\)\\)\""));
      assertThat(header(bundle, "Require-Bundle") + header(bundle, "Bundle-ActivationPolicy")).as(bundle.getName()).isEmpty();
    }
  }

  @Test
  void carryNothingOfKura() {
    for (JarFile bundle : bundles) {
      assertThat(bundle.stream().map(JarEntry::getName)).as(bundle.getName())
          .noneMatch(name -> name.startsWith("org/eclipse/kura/") || name.startsWith("org/osgi/"));
    }
  }

  @Test
  void onlyTheBundlesForItKnowKura() {
    for (JarFile bundle : bundles) {
      boolean may = header(bundle, "Bundle-SymbolicName").startsWith("io.weir.kura");
      assertThat(header(bundle, "Import-Package").contains("org.eclipse.kura")).as(bundle.getName()).isEqualTo(may);
    }
  }

  @Test
  void describeEachServiceSoThatKuraFindsIt() throws Exception {
    Set<String> seen = new HashSet<>();
    for (JarFile bundle : bundles) {
      for (String path : paths(bundle, "OSGI-INF/metatype/[^/]+\\.xml")) {
        String pid = path.substring(path.lastIndexOf('/') + 1).replaceFirst("\\.xml$", "");
        Metatype metatype = Metatype.read(new java.net.URL("jar:file:" + bundle.getName() + "!/" + path), pid);

        assertThat(metatype).as("OCD id and Designate of " + path).isNotNull();
        assertThat(metatype.definition().name()).as(path).startsWith("Weir ");
        assertThat(metatype.definition().getIcon()).as(path).singleElement().satisfies(icon -> {
          assertThat(icon.getSize().intValue()).isEqualTo(32);
          assertThat(bundle.getEntry(icon.getResource())).as(icon.getResource()).isNotNull();
        });
        assertThat(metatype.definition().getAD()).as(path).isNotEmpty().allSatisfy(attribute -> {
          assertThat(attribute.getDescription()).as(attribute.getId()).isNotBlank().doesNotStartWith("%");
          assertThat(attribute.getName()).as(attribute.getId()).isNotBlank().doesNotStartWith("%");
          assertThat(attribute.getCardinality()).as(attribute.getId()).isBetween(-1, 1);
          // Kura's web admin would not apply anything while a required field is empty.
          assertThat(attribute.isRequired() && String.valueOf(attribute.getDefault()).isEmpty()).as(attribute.getId())
              .isFalse();
          assertThat(attribute.getOption().isEmpty() || attribute.getOption().stream().anyMatch(option ->
              option.getValue().equals(attribute.getDefault()))).as(attribute.getId() + " may be its default").isTrue();
        });
        Element component = component(bundle, pid);
        assertThat(component.getAttribute("configuration-policy")).as(pid).isEqualTo("require");
        assertThat(component.getAttribute("immediate")).as(pid).isEqualTo("true");
        assertThat(configurationPid(component)).as(pid).isEqualTo(pid);
        seen.add(pid);
      }
    }
    assertThat(seen).contains("io.weir.function", "io.weir.pool", "io.weir.broker", "io.weir.kura",
        "io.weir.kura.CloudLink", "io.weir.kura.wire.Function");
  }

  /** Whoever needs a configuration must have a metatype, or nobody would seed it. */
  @Test
  void waitForNoConfigurationThatKuraDoesNotSeed() throws Exception {
    Set<String> described = new HashSet<>();
    for (JarFile bundle : bundles) {
      paths(bundle, "OSGI-INF/metatype/[^/]+\\.xml").forEach(path -> described.add(
          path.substring(path.lastIndexOf('/') + 1).replaceFirst("\\.xml$", "")));
    }
    for (JarFile bundle : bundles) {
      for (String path : paths(bundle, "OSGI-INF/[^/]+\\.xml")) {
        Element component = parse(bundle, path);
        assertThat(component.getAttribute("configuration-policy")).as(path).isIn("require", "ignore", "");
        if (component.getAttribute("configuration-policy").equals("require")) {
          assertThat(described).as(path).contains(configurationPid(component));
        }
      }
    }
  }

  @Test
  void takeAFunctionsChangeLive() throws Exception {
    for (JarFile bundle : bundles) {
      for (String path : paths(bundle, "OSGI-INF/(io.weir.function|io.weir.kura.*).xml")) {
        Element component = parse(bundle, path);
        boolean configured = component.getAttribute("configuration-policy").equals("require");
        assertThat(component.hasAttribute("modified")).as(path).isEqualTo(configured);
      }
    }
  }

  private static List<String> paths(JarFile bundle, String pattern) {
    return Collections.list(bundle.entries()).stream().map(JarEntry::getName).filter(name -> name.matches(pattern))
        .collect(Collectors.toList());
  }

  private static String configurationPid(Element component) {
    String pid = component.getAttribute("configuration-pid");
    return pid.isEmpty() ? component.getAttribute("name") : pid;
  }

  private static Element component(JarFile bundle, String name) throws Exception {
    Element component = parse(bundle, "OSGI-INF/" + name + ".xml");
    assertThat(component.getAttribute("name")).isEqualTo(name);
    return component;
  }

  private static Element parse(JarFile bundle, String path) throws Exception {
    JarEntry entry = bundle.getJarEntry(path);
    assertThat(entry).as(path + " in " + bundle.getName()).isNotNull();
    try (InputStream in = bundle.getInputStream(entry)) {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      Element root = factory.newDocumentBuilder().parse(in).getDocumentElement();
      NodeList components = root.getElementsByTagName("scr:component");
      return components.getLength() > 0 ? (Element) components.item(0) : root;
    }
  }
}

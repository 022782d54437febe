package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Each device's settings on one running gateway, as an operator brings them there. */
class DeviceConfigIT {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static Gateway gateway;
  private static Path stored;

  @BeforeAll
  static void start() throws Exception {
    gateway = Gateway.start("device");
    stored = gateway.functionsFolder().getParent().resolve("config/io/weir");
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
  }

  @Test
  @SuppressWarnings("unchecked")
  void everyDevicesSettingsAreTakenUpByARunningGateway() throws Exception {
    List<Map<String, Object>> devices = (List<Map<String, Object>>) gateway.weir("--json", "device", "list").json().get("devices");
    assertThat(devices).extracting(device -> device.get("name")).contains("raspberry-pi-5", "raspberry-pi-4",
        "raspberry-pi-3-zero2w", "generic-aarch64", "generic-armhf", "generic-x86_64");
    for (Map<String, Object> device : devices) {
      String name = (String) device.get("name");

      Gateway.Result applied = gateway.weir("device", "apply", name);

      assertThat(applied.exitCode()).as(applied.err()).isZero();
      ((Map<String, Map<String, String>>) device.get("settings")).forEach((pid, settings) ->
          // The file is away for a moment while it is replaced.
          await(name + " " + pid).atMost(SOON).ignoreExceptionsInstanceOf(IOException.class)
              .untilAsserted(() -> assertThat(inConfigurationAdmin(pid)).containsAllEntriesOf(settings)));
      gateway.awaitReady();
      String budget = ((Map<String, Map<String, String>>) device.get("settings")).get("io.weir.pool").get("memory.budget.mib");
      if (!budget.equals("0")) {
        await(name).atMost(SOON).untilAsserted(() -> assertThat(((Map<?, ?>) gateway.json("/api/v1/status").get("memory"))
            .get("totalBytes")).isEqualTo(Integer.parseInt(budget) << 20));
      }
    }
    assertThat(Files.readString(gateway.log())).doesNotContain("is not allowed");
  }

  @Test
  @SuppressWarnings("unchecked")
  void everySettingIsOneThatAServiceHas() throws Exception {
    Map<String, Map<String, String>> known = metatype();
    for (Map<String, Object> device : (List<Map<String, Object>>) gateway.weir("--json", "device", "list").json().get("devices")) {
      ((Map<String, Map<String, String>>) device.get("settings")).forEach((pid, settings) -> settings.keySet().forEach(key ->
          assertThat(known.get(pid)).as(device.get("name") + " " + pid).containsEntry(key, key.equals("folder") ? "String" : "Integer")));
    }
  }

  /** The type of each key by PID, as the bundles declare them and Kura's web admin shows them. */
  private static Map<String, Map<String, String>> metatype() throws Exception {
    Map<String, Map<String, String>> known = new HashMap<>();
    try (Stream<Path> jars = Files.list(gateway.home().resolve("bundle/weir"))) {
      for (Path path : jars.toList()) {
        try (JarFile jar = new JarFile(path.toFile())) {
          for (JarEntry entry : jar.stream().filter(each -> each.getName().startsWith("OSGI-INF/metatype/")
              && each.getName().endsWith(".xml")).toList()) {
            NodeList keys = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(jar.getInputStream(entry)).getElementsByTagName("AD");
            for (int i = 0; i < keys.getLength(); i++) {
              Element key = (Element) keys.item(i);
              known.computeIfAbsent(((Element) key.getParentNode()).getAttribute("id"), pid -> new HashMap<>())
                  .put(key.getAttribute("id"), key.getAttribute("type"));
            }
          }
        }
      }
    }
    return known;
  }

  /** What ConfigurationAdmin keeps, which is what every service gets and what outlives a restart. */
  private static Map<String, String> inConfigurationAdmin(String pid) throws Exception {
    Path file = stored.resolve(pid.substring("io.weir.".length()).replace('.', '/') + ".config");
    try (Stream<String> lines = Files.lines(file)) {
      return lines.filter(line -> line.contains("=\"")).collect(java.util.stream.Collectors.toMap(
          line -> line.substring(0, line.indexOf('=')), line -> line.substring(line.indexOf('"') + 1, line.lastIndexOf('"'))));
    }
  }

  @Test
  void theDoctorSaysWhichDeviceFitsAndWhatIsMissing() throws Exception {
    boolean intel = System.getProperty("os.arch").equals("amd64");
    String fits = intel ? "generic-x86_64" : "generic-aarch64";

    Gateway.Result found = gateway.weir("doctor", "--device");
    Gateway.Result wrong = gateway.weir("doctor", "--device", intel ? "generic-armhf" : "generic-x86_64");
    Gateway.Result unknown = gateway.weir("doctor", "--device", "raspberry-pi-9");

    assertThat(found.out()).contains("device " + fits + " fits");
    assertThat(wrong.exitCode()).isEqualTo(1);
    assertThat(wrong.out()).contains(intel ? "generic-armhf is for armhf, and this machine is amd64" : "generic-x86_64 is for amd64",
        "use --device " + fits);
    assertThat(unknown.exitCode()).isEqualTo(2);
    assertThat(unknown.err()).contains("there is no device 'raspberry-pi-9'", "known are raspberry-pi-5");
  }
}

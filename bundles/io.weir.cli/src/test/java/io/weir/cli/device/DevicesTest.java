package io.weir.cli.device;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class DevicesTest {
  private static final Path FOLDER = Path.of("../../device-configs");

  private static Stream<String> folders() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.filter(Files::isDirectory).map(folder -> folder.getFileName().toString()).sorted().toList().stream();
    }
  }

  private static JsonSchema schema() throws IOException {
    return JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(Files.readString(FOLDER.resolve("device.schema.json")));
  }

  private static Set<?> faults(String json) throws IOException {
    return schema().validate(json, InputFormat.JSON);
  }

  @Test
  void everyFolderIsKnownToTheCommandLine() throws IOException {
    assertThat(Devices.all()).extracting(Device::name).containsExactlyInAnyOrderElementsOf(folders().toList());
  }

  @ParameterizedTest
  @MethodSource("folders")
  void everyDeviceKeepsToTheSchema(String folder) throws IOException {
    assertThat(faults(Files.readString(FOLDER.resolve(folder).resolve("device.json")))).isEmpty();
    assertThat(Devices.find(folder)).isPresent();
  }

  @Test
  void theSchemaRefusesWhatItDoesNotKnow() throws IOException {
    String good = Files.readString(FOLDER.resolve("raspberry-pi-4/device.json"));

    assertThat(faults(good.replace("\"spares\": 1", "\"spares\": 9"))).isNotEmpty();
    assertThat(faults(good.replace("\"spares\": 1", "\"spare\": 1"))).isNotEmpty();
    assertThat(faults(good.replace("io.weir.runner", "io.weir.other"))).isNotEmpty();
    assertThat(faults(good.replace("\"arm64\"", "\"aarch64\""))).isNotEmpty();
    assertThat(faults(good.replaceFirst("\"title\": \"[^\"]*\",", ""))).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("folders")
  void theSnapshotFragmentHasTheSameSettings(String folder) throws Exception {
    Map<String, Map<String, String>> settings = new LinkedHashMap<>();
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    NodeList services = factory.newDocumentBuilder().parse(FOLDER.resolve(folder).resolve("snapshot-fragment.xml").toFile())
        .getElementsByTagName("esf:configuration");
    for (int i = 0; i < services.getLength(); i++) {
      Element service = (Element) services.item(i);
      NodeList properties = service.getElementsByTagName("esf:property");
      for (int k = 0; k < properties.getLength(); k++) {
        Element property = (Element) properties.item(k);
        assertThat(property.getAttribute("type")).isIn("Integer", "String");
        assertThat(property.getAttribute("array")).isEqualTo("false");
        settings.computeIfAbsent(service.getAttribute("pid"), pid -> new LinkedHashMap<>())
            .put(property.getAttribute("name"), property.getElementsByTagName("esf:value").item(0).getTextContent());
      }
    }

    assertThat(settings).isEqualTo(Devices.find(folder).orElseThrow().settings());
  }

  @ParameterizedTest
  @CsvSource({
      "Raspberry Pi 5 Model B Rev 1.0, arm64, 8062, raspberry-pi-5",
      "Raspberry Pi Compute Module 5 Rev 1.0, arm64, 2010, raspberry-pi-5",
      "Raspberry Pi 4 Model B Rev 1.4, arm64, 3794, raspberry-pi-4",
      "Raspberry Pi 4 Model B Rev 1.1, armhf, 925, raspberry-pi-4",
      "Raspberry Pi 400 Rev 1.0, arm64, 3794, raspberry-pi-4",
      "Raspberry Pi 3 Model B Plus Rev 1.3, arm64, 909, raspberry-pi-3-zero2w",
      "Raspberry Pi Zero 2 W Rev 1.0, armhf, 426, raspberry-pi-3-zero2w",
      "Raspberry Pi 5 Model B Rev 1.0, armhf, 8062, generic-armhf",
      "Radxa ROCK 4C+, arm64, 3900, generic-aarch64",
      "'', amd64, 24000, generic-x86_64",
      "'', s390x, 24000, ''"})
  void theOneThatFitsIsFound(String model, String architecture, long memory, String name) {
    DeviceFacts facts = new DeviceFacts(model, architecture, memory, true, "", Set.of("eth0"), false);

    assertThat(Devices.fitting(facts).map(Device::name).orElse("")).isEqualTo(name);
  }

  @Test
  void anUnknownNameIsAnsweredWithOneThatIsMeant() {
    assertThat(Devices.unknown("pi4")).contains("did you mean 'raspberry-pi-4'?");
    assertThat(Devices.unknown("RaspberryPi5")).contains("did you mean 'raspberry-pi-5'?");
    assertThat(Devices.unknown("toaster")).contains("known are raspberry-pi-5, ").doesNotContain("did you mean");
  }

  @Test
  void settingsAreMergedIntoTheFilesThatAreThere(@TempDir Path conf) throws IOException {
    Files.writeString(conf.resolve("io.weir.pool.cfg"), "# mine\nqueue.length = 7\nstop.grace.seconds=1\nparallel.starts=4\n");
    ConfFolder folder = new ConfFolder(conf);
    Device pi = Devices.find("raspberry-pi-4").orElseThrow();
    assertThat(folder.differences(pi)).containsEntry("io.weir.pool queue.length=1000", Optional.of("7"))
        .containsEntry("io.weir.runner spares=1", Optional.empty()).doesNotContainKey("io.weir.pool parallel.starts=4");

    List<Path> changed = folder.apply(pi);

    assertThat(changed).hasSize(pi.settings().size());
    assertThat(Files.readAllLines(conf.resolve("io.weir.pool.cfg"))).containsExactly("# mine", "queue.length=1000",
        "stop.grace.seconds=1", "parallel.starts=4", "memory.budget.mib=0", "pressure.available.percent=5");
    assertThat(folder.differences(pi)).isEmpty();
    assertThat(folder.apply(pi)).isEmpty();
    assertThat(folder.differences(Devices.find("raspberry-pi-5").orElseThrow())).isNotEmpty();
  }
}

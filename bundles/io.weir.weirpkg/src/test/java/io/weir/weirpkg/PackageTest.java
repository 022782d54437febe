package io.weir.weirpkg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.weirpkg.PackageFault.Kind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PackageTest {

  @Property(tries = 200)
  void whatIsWrittenIsReadAgain(@ForAll("contents") Map<String, byte[]> more) throws IOException {
    Map<String, byte[]> files = Packages.thermo();
    files.putAll(more);

    Map<String, byte[]> read = Packages.read(Packages.zipped(files, Optional.of(new byte[64])));

    assertThat(read.keySet()).containsExactlyElementsOf(files.keySet());
    files.forEach((name, bytes) -> assertThat(read.get(name)).isEqualTo(bytes));
  }

  @Provide
  Arbitrary<Map<String, byte[]>> contents() {
    return Arbitraries.maps(Arbitraries.strings().withCharRange('a', 'z').ofMinLength(1).ofMaxLength(12).map(name -> name + ".py"),
        Arbitraries.bytes().array(byte[].class).ofMaxSize(2000)).ofMaxSize(5);
  }

  @Test
  void theSameContentsAreTheSameBytes() throws IOException {
    assertThat(Packages.zipped(Packages.thermo(), Optional.empty())).isEqualTo(Packages.zipped(Packages.thermo(), Optional.empty()));
  }

  @Property(tries = 300)
  void whatEndsTooEarlyIsRefused(@ForAll boolean zipped, @ForAll @IntRange(max = 1 << 20) int where) throws IOException {
    byte[] whole = zipped ? Packages.zipped(Packages.thermo(), Optional.empty()) : Packages.plain(Packages.thermo());

    byte[] torn = Arrays.copyOf(whole, where % whole.length);

    assertThatThrownBy(() -> Packages.read(torn)).isInstanceOf(PackageFault.class)
        .satisfies(fault -> assertThat(((PackageFault) fault).kind()).isEqualTo(Kind.MALFORMED));
  }

  @Property(tries = 1000)
  void noBitCanBeFlippedThatCounts(@ForAll boolean zipped, @ForAll @IntRange(max = 1 << 24) int where) throws IOException {
    byte[] bytes = zipped ? Packages.zipped(Packages.thermo(), Optional.empty()) : Packages.plain(Packages.thermo());
    int bit = where % (bytes.length * 8);
    bytes[bit / 8] ^= (byte) (1 << bit % 8);

    try {
      Map<String, byte[]> read = Packages.read(bytes);
      Packages.thermo().forEach((name, contents) -> assertThat(read.get(name)).isEqualTo(contents));
    } catch (PackageFault expected) {
      assertThat(expected.kind()).isIn(Kind.MALFORMED, Kind.TOO_LARGE);
    }
  }

  @Property(tries = 500)
  void noiseIsRefused(@ForAll byte[] noise) {
    assertThatThrownBy(() -> Packages.read(noise)).isInstanceOf(PackageFault.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"../weir.yaml", "/etc/passwd", "a/b.py", "images/../x.tar", "images/", "images/a/b.tar", ".hidden", "-rf",
      "..", ".", "a b.py", "a\0b.py", "a\\b.py", "é.py", "manifest", "manifest.sig", "weir.yaml"})
  void aNameThatIsNoPlainNameIsRefused(String name) {
    Map<String, byte[]> files = new LinkedHashMap<>(Packages.thermo());
    var entries = new java.util.ArrayList<>(Packages.manifest(files).files());
    entries.add(Packages.file(name, new byte[1]));

    assertThatThrownBy(() -> new Manifest("thermo", "1", Optional.empty(), Map.of("localhost/thermo:1", "images/thermo.tar"), entries))
        .isInstanceOf(PackageFault.class);
  }

  @Test
  void anEntryThatTheManifestDoesNotNameIsRefused() {
    Map<String, byte[]> files = Packages.thermo();
    byte[] hidden = Packages.tar("manifest", Packages.manifest(files).bytes(), "weir.yaml", files.get("weir.yaml"),
        "images/thermo.tar", files.get("images/thermo.tar"), "more.py", "x");
    byte[] instead = Packages.tar("manifest", Packages.manifest(files).bytes(), "../weir.yaml", files.get("weir.yaml"));

    assertThatThrownBy(() -> Packages.read(hidden)).isInstanceOf(PackageFault.class).hasMessageContaining("more.py");
    assertThatThrownBy(() -> Packages.read(instead)).isInstanceOf(PackageFault.class).hasMessageContaining("weir.yaml");
  }

  @Test
  void aLinkIsNoFile() {
    Map<String, byte[]> files = Packages.thermo();
    byte[] link = Packages.tar("manifest", Packages.manifest(files).bytes(), new TarHeader("weir.yaml", files.get("weir.yaml").length, '2'),
        files.get("weir.yaml"));

    assertThatThrownBy(() -> Packages.read(link)).isInstanceOf(PackageFault.class);
  }

  @Test
  void whatIsTooLargeIsRefusedBeforeAnyOfItIsRead() throws IOException {
    byte[] bytes = Packages.zipped(Packages.thermo(), Optional.empty());

    assertThatThrownBy(() -> new PackageReader(new ByteArrayInputStream(bytes), new Limits(3000)))
        .isInstanceOf(PackageFault.class).hasMessageContaining("no more than 3000")
        .satisfies(fault -> assertThat(((PackageFault) fault).kind()).isEqualTo(Kind.TOO_LARGE));
  }

  @Test
  void aBombIsNotUnpacked() throws IOException {
    Map<String, byte[]> files = Packages.thermo();
    byte[] honest = Packages.plain(files);
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    try (var out = new java.util.zip.GZIPOutputStream(bomb)) {
      out.write(honest);
      for (int i = 0; i < 64; i++) {
        out.write(new byte[1 << 20]);
      }
    }

    assertThatThrownBy(() -> Packages.read(bomb.toByteArray())).isInstanceOf(PackageFault.class)
        .hasMessageContaining("behind the end");
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "weirpkg 1\nversion 1\nname a\nfile weir.yaml 0 D\n",      // order
      "weirpkg 1\nname a\nname a\nversion 1\nfile weir.yaml 0 D\n",
      "weirpkg 1\nname a\nversion 1\nfile weir.yaml 00 D\n",
      "weirpkg 1\nname a\nversion 1\nfile weir.yaml -1 D\n",
      "weirpkg 1\nname a\nversion 1\nfile  weir.yaml 0 D\n",
      "weirpkg 1\nname a\nversion 1\nfile weir.yaml 0 D",
      "weirpkg 1\r\nname a\r\nversion 1\r\nfile weir.yaml 0 D\r\n",
      "weirpkg 1\nname A\nversion 1\nfile weir.yaml 0 D\n",
      "weirpkg 1\nname a\nversion \nfile weir.yaml 0 D\n",
      "weirpkg 1\nname a\nversion 1\nimage localhost/a:1 images/a.tar\nfile weir.yaml 0 D\n",
      "weirpkg 1\nname a\nversion 1\nfile weir.yaml 0 D\nfile images/a.tar 0 D\n",
      "weirpkg 1\nname a\nversion 1\nfile weir.yaml 0 D\nfile a.py 0 D\nfile a.py 0 D\n",
      "weirpkg 1\nname a\nversion 1\nfile weir.yaml 0 D\nmore\n",
      "weirpkg 1\nname a\nversion 1\nimage a images/a.tar\nfile weir.yaml 0 D\nfile images/a.tar 8589934592 D\n",
      "weirpkg 1\nname a\nversion 1\nfile weir.yaml 1048577 D\n",
      "weirpkg 1\nname a\nversion 1\n"})
  void aManifestHasOneForm(String text) {
    byte[] bytes = text.replace("D", "0".repeat(64)).getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);

    assertThatThrownBy(() -> Manifest.of(bytes)).isInstanceOf(PackageFault.class);
  }

  @Test
  void aNewerFormatIsToldFromNoPackage() {
    assertThatThrownBy(() -> Manifest.of("weirpkg 2\n".getBytes())).hasMessageContaining("update Weir");
    assertThatThrownBy(() -> Manifest.of("hello\n".getBytes())).hasMessageContaining("no function package");
  }

  @Test
  void tarsOfOtherProgramsAreRead() throws Exception {
    Map<String, byte[]> files = Packages.thermo();
    java.nio.file.Path folder = java.nio.file.Files.createTempDirectory("weirpkg");
    try {
      java.nio.file.Files.createDirectory(folder.resolve("images"));
      java.nio.file.Files.write(folder.resolve("manifest"), Packages.manifest(files).bytes());
      for (var file : files.entrySet()) {
        java.nio.file.Files.write(folder.resolve(file.getKey()), file.getValue());
      }
      Process tar = new ProcessBuilder("tar", "-C", folder.toString(), "-cf", "-", "manifest", "weir.yaml", "images/thermo.tar").start();
      byte[] bytes = tar.getInputStream().readAllBytes();

      Set<String> names = new HashSet<>(Packages.read(bytes).keySet());

      assertThat(names).isEqualTo(files.keySet());
    } finally {
      try (var all = java.nio.file.Files.walk(folder)) {
        all.sorted(java.util.Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
      }
    }
  }
}

package io.weir.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TarsTest {
  @TempDir
  private Path folder;

  private byte[] pack() throws IOException {
    var out = new ByteArrayOutputStream();
    try (Tars tar = new Tars(out)) {
      tar.file("Containerfile", "FROM x\n".getBytes(java.nio.charset.StandardCharsets.UTF_8), 0644);
      tar.tree(folder, "app/", path -> !path.endsWith("left-out"));
    }
    return out.toByteArray();
  }

  static Map<String, TarArchiveEntry> entries(byte[] tar) throws IOException {
    Map<String, TarArchiveEntry> entries = new LinkedHashMap<>();
    try (var in = new TarArchiveInputStream(new ByteArrayInputStream(tar))) {
      for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        entries.put(entry.getName(), entry);
      }
    }
    return entries;
  }

  @Test
  void keepsLinksAndExecutableBitsAndMakesEverythingReadable() throws IOException {
    Files.writeString(folder.resolve("secretive"), "x", java.nio.charset.StandardCharsets.UTF_8);
    Files.setPosixFilePermissions(folder.resolve("secretive"), PosixFilePermissions.fromString("rw-------"));
    Files.writeString(folder.resolve("program"), "x");
    Files.setPosixFilePermissions(folder.resolve("program"), PosixFilePermissions.fromString("rwx------"));
    Files.createSymbolicLink(folder.resolve("link"), Path.of("program"));
    Files.createDirectory(folder.resolve("left-out"));
    String deep = "d".repeat(90) + "/" + "e".repeat(90) + "/ünï";
    Files.createDirectories(folder.resolve(deep).getParent());
    Files.writeString(folder.resolve(deep), "x");

    Map<String, TarArchiveEntry> entries = entries(pack());

    assertThat(entries.keySet()).contains("Containerfile", "app/" + deep).noneMatch(name -> name.contains("left-out"));
    assertThat(entries.get("app/secretive").getMode() & 0777).isEqualTo(0644);
    assertThat(entries.get("app/program").getMode() & 0777).isEqualTo(0755);
    assertThat(entries.get("app/link").getLinkName()).isEqualTo("program");
    assertThat(entries.values()).allMatch(entry -> entry.getLongUserId() == 0 && entry.getUserName().isEmpty());
  }

  @Test
  void isTheSameForTheSameFiles() throws IOException {
    for (String name : new String[] {"b", "a", "c"}) {
      Files.setLastModifiedTime(Files.writeString(folder.resolve(name), name), FileTime.fromMillis(1_700_000_000_123L));
    }

    assertThat(pack()).isEqualTo(pack());
    assertThat(entries(pack()).keySet()).containsExactly("Containerfile", "app/a", "app/b", "app/c");
  }
}

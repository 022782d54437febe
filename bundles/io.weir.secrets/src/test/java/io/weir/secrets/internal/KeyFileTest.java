package io.weir.secrets.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyFileTest {
  @TempDir
  private Path folder;

  private Path file() {
    return folder.resolve("data/secret.key");
  }

  @Test
  void revealsWhatItConcealedAlsoAfterARestart() {
    String stored = new KeyFile(file()).conceal("s3cret ü\nb:c");

    assertThat(stored).startsWith("{weir}").doesNotContain("s3cret");
    assertThat(new KeyFile(file()).reveal(stored)).isEqualTo("s3cret ü\nb:c");
  }

  @Test
  void concealsDifferentlyEachTime() {
    KeyFile keys = new KeyFile(file());

    assertThat(keys.conceal("a")).isNotEqualTo(keys.conceal("a"));
  }

  @Test
  void takesWhatWasNeverConcealedForClear() {
    assertThat(new KeyFile(file()).reveal("plain")).isEqualTo("plain");
    assertThat(file()).doesNotExist();
  }

  @Test
  void letsNobodyElseReadTheKey() throws IOException {
    KeyFile keys = new KeyFile(file());
    String stored = keys.conceal("a");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file()))).isEqualTo("rw-------");

    Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-r--r--"));
    keys.reveal(stored);

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file()))).isEqualTo("rw-------");
  }

  @Test
  void saysWhatToDoAboutAnotherKeyWithoutTellingTheValue() throws IOException {
    String stored = new KeyFile(file()).conceal("s3cret");
    Files.delete(file());

    assertThatThrownBy(() -> new KeyFile(file()).reveal(stored)).isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("write it anew").hasMessageNotContaining(stored);
  }

  @Test
  void refusesHalfAKey() throws IOException {
    Files.createDirectories(file().getParent());
    Files.write(file(), new byte[16]);

    assertThatThrownBy(() -> new KeyFile(file()).conceal("a")).hasMessageContaining("16 bytes instead of 32");
  }
}

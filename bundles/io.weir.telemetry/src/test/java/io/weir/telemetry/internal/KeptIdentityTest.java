package io.weir.telemetry.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeptIdentityTest {
  @TempDir
  Path data;

  @Test
  void isTheSameAfterARestart() {
    String first = new KeptIdentity(data.resolve("new")).id();

    assertThat(first).matches("[0-9a-f]{12}");
    assertThat(new KeptIdentity(data.resolve("new")).id()).isEqualTo(first);
    assertThat(data.resolve("new")).isDirectoryNotContaining("glob:**.part");
  }

  @Test
  void differsBetweenGateways() {
    assertThat(new KeptIdentity(data.resolve("a")).id()).isNotEqualTo(new KeptIdentity(data.resolve("b")).id());
  }

  @Test
  void aDamagedFileIsNotReplacedUnasked() throws Exception {
    Files.writeString(data.resolve("gateway.id"), "");

    assertThatThrownBy(() -> new KeptIdentity(data)).hasMessageContaining("gateway.id")
        .hasMessageContaining("delete it");
  }
}

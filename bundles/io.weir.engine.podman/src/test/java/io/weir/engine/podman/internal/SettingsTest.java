package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.util.converter.Converters;

class SettingsTest {

  private static Settings of(Map<String, Object> properties) {
    return Settings.of(Converters.standardConverter().convert(properties).to(PodmanConfig.class));
  }

  @Test
  void runsAServiceOfItsOwnUnlessToldOtherwise() {
    assertThat(of(Map.of())).isEqualTo(new Settings(Optional.empty(), "podman", "", "weir", Optional.empty(), "",
        Duration.ofSeconds(30), Duration.ofSeconds(30), Duration.ofSeconds(1800), Duration.ofSeconds(5), 4));
    assertThat(of(Map.of("socket", " /run/podman/podman.sock ")).socket()).contains(Path.of("/run/podman/podman.sock"));
  }

  @Test
  void theIpv6NetworkIsItsOwnUnlessToldOtherwise() {
    Subnet6 own = Subnet6.local(0x1a2b3c4d);

    assertThat(own).hasToString("fd57:1a2b:3c4d:0::/64");
    assertThat(own.host(300)).isEqualTo("fd57:1a2b:3c4d:0::12c");
    assertThat(Subnet6.numeric(own.host(300)).orElseThrow().getHostAddress()).isEqualTo("fd57:1a2b:3c4d:0:0:0:0:12c");
    assertThat(Subnet6.parse("", own)).contains(own);
    assertThat(Subnet6.parse("none", own)).isEmpty();
    assertThat(Subnet6.parse("fd12:3456::/64", own).orElseThrow().host(1)).isEqualTo("fd12:3456:0:0::1");
  }

  @ParameterizedTest
  @CsvSource({"socket,podman.sock,absolute", "podman,'',program", "network,a b,letters", "subnet,here,IPv4",
      "subnet6,here,/64", "subnet6,fd12::1/64,/64", "subnet6,fd12::/48,/64", "subnet6,10.0.0.0/64,/64",
      "call.timeout.seconds,0,1..600", "start.timeout.seconds,601,1..600", "image.timeout.seconds,0,1..86400",
      "service.wait.seconds,-1,0..60", "ready.networks,65,0..64"})
  void refusesWithKeyValueAndWhatIsAllowed(String key, String value, String allowed) {
    assertThatIllegalArgumentException().isThrownBy(() -> of(Map.of(key, value)))
        .withMessageContaining(key + " is '" + value + "'").withMessageContaining(allowed);
  }
}

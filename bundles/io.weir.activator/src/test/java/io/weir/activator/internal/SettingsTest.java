package io.weir.activator.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.util.converter.Converters;

class SettingsTest {
  private static Settings of(String key, Object value) {
    return Settings.of(Converters.standardConverter().convert(Map.of(key, value)).to(ActivatorConfig.class));
  }

  @Test
  void hasTheDefaultsThatItsDescriptionPromises() {
    assertThat(of("x", "")).isEqualTo(new Settings(20_000, 20_999, Set.of(), 1000, 4096, Duration.ofSeconds(30),
        Duration.ofSeconds(10), Duration.ofSeconds(60)));
    assertThat(of("interfaces", "eth0, wlan0").interfaces()).containsExactly("eth0", "wlan0");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"ports | 20999-20000", "ports | 80-90", "ports | all", "ports | 60000-70000",
      "interfaces | eth0 eth1", "interfaces | a/b", "held.per.function | 0", "held.total | 100001", "patience.seconds | 0",
      "head.timeout.seconds | 0", "stall.timeout.seconds | -1"})
  void saysWhichValueIsWrong(String key, String value) {
    assertThatThrownBy(() -> of(key, value)).isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("io.weir.activator: " + key + " = '" + value + "' is not allowed; use ");
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.0/8,10.255.0.1,true", "10.0.0.0/8,11.0.0.1,false", "192.168.1.128/25,192.168.1.127,false",
      "192.168.1.128/25,192.168.1.200,true", "192.168.1.7,192.168.1.7,true", "192.168.1.7,192.168.1.6,false",
      "0.0.0.0/0,1.2.3.4,true", "fd00::/8,fd12::1,true", "fd00::/8,fe80::1,false", "0.0.0.0/0,::1,false", "::/0,1.2.3.4,false"})
  void knowsWhoBelongsToANetwork(String network, String client, boolean expected) throws Exception {
    assertThat(Network.of(network).has(InetAddress.getByName(client))).isEqualTo(expected);
  }
}

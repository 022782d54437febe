package io.weir.broker.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.osgi.util.converter.Converters;

class SettingsTest {
  static Settings settings(Map<String, ?> configuration) {
    return Settings.of(Converters.standardConverter().convert(configuration).to(BrokerConfig.class));
  }

  @Test
  void listensForThisMachineAloneByDefault() {
    Settings settings = settings(Map.of());

    assertThat(settings.host().isLoopbackAddress()).isTrue();
    assertThat(settings.anonymous()).isTrue();
    assertThat(settings.external()).isEmpty();
  }

  @Test
  void refusesToOpenTheNetworkWithoutUsers() {
    assertThatIllegalArgumentException().isThrownBy(() -> settings(Map.of("host", "0.0.0.0")))
        .withMessageContaining("io.weir.broker: .users=").withMessageContaining("NAME:PASSWORD");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings(Map.of("host", "0.0.0.0", "anonymous", "true", ".users", "a:b")))
        .withMessageContaining("anonymous=true");
  }

  @Test
  void usersEndAnonymousAccess() {
    Settings settings = settings(Map.of("host", "0.0.0.0", ".users", "ada:one\n\n bob:two:three "));

    assertThat(settings.anonymous()).isFalse();
    assertThat(settings.users()).containsExactly(Map.entry("ada", "one"), Map.entry("bob", "two:three"));
  }

  @Test
  void namesKeyValueAndRangeOfWhatIsWrong() {
    assertThatIllegalArgumentException().isThrownBy(() -> settings(Map.of("port", 70_000)))
        .withMessage("io.weir.broker: port=70000 is not allowed; allowed: 1..65535");
    assertThatIllegalArgumentException().isThrownBy(() -> settings(Map.of("host", "broker.example")))
        .withMessageContaining("host=broker.example").withMessageContaining("an IP address");
    assertThatIllegalArgumentException().isThrownBy(() -> settings(Map.of("url", "http://x")))
        .withMessageContaining("url=http://x").withMessageContaining("tcp://HOST:PORT");
    assertThatIllegalArgumentException().isThrownBy(() -> settings(Map.of(".users", "weir:mine")))
        .withMessageContaining("the gateway's own");
    assertThatIllegalArgumentException().isThrownBy(() -> settings(Map.of(".users", "ada:secret\nada:other")))
        .withMessageContaining("each name once").withMessageNotContaining("secret");
  }

  @Test
  void givesAnExternalBrokerItsUsualPort() {
    assertThat(settings(Map.of("url", "ssl://broker.example")).external().orElseThrow())
        .hasToString("ssl://broker.example:8883");
  }
}

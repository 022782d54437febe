package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EgressRulesTest {
  @Test
  void severalPortsOfOneAddressAreOneEntry() {
    assertThat(EgressRules.entries(3, List.of("10.0.0.1:443", "10.0.0.1:80"))).containsOnlyKeys(key(3, "10.0.0.1"))
        .hasEntrySatisfying(key(3, "10.0.0.1"), value -> assertThat(value).isEqualTo(Layout.egress(List.of(80, 443))));
  }

  @Test
  void anAddressInANetworkMayBeReachedAsTheNetworkMay() {
    Map<ByteBuffer, byte[]> entries = EgressRules.entries(3, List.of("10.0.0.0/8", "10.0.0.1:443", "192.168.0.1:53"));

    assertThat(entries.get(key(3, "10.0.0.1"))).isEqualTo(Layout.egress(List.of()));
    assertThat(entries.get(key(3, "192.168.0.1"))).isEqualTo(Layout.egress(List.of(53)));
  }

  @Test
  void anyMeansBothFamilies() {
    assertThat(EgressRules.entries(3, List.of("any"))).hasSize(2).doesNotContain(entry(key(4, "0.0.0.0/0"), new byte[8]));
  }

  @Test
  void anIpv6AddressWithAPortIsUnderstood() {
    assertThat(EgressRules.entries(1, List.of("[fd00::1]:53")).get(key(1, "fd00::1"))).isEqualTo(Layout.egress(List.of(53)));
  }

  private static ByteBuffer key(int function, String network) {
    return ByteBuffer.wrap(Layout.prefix(function, Network.of(network).get(0)));
  }
}

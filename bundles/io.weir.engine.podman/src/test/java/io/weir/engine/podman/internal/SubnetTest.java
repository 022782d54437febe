package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SubnetTest {

  @Test
  void readsTheKernelsRoutes() {
    assertThat(Subnet.routed(Stream.of("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU",
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
        "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0", "")))
        .containsExactly(Subnet.parse("192.0.2.0/24"));
  }

  @Test
  void choosesOneThatNoRouteUses() {
    Subnet first = Subnet.free(7, List.of()).findFirst().orElseThrow();

    assertThat(Subnet.free(7, List.of(first)).findFirst().orElseThrow()).isNotEqualTo(first)
        .matches(second -> !second.overlaps(first));
    assertThat(Subnet.free(7, List.of(Subnet.parse("10.128.0.0/9")))).isEmpty();
    assertThat(Subnet.free(Integer.MIN_VALUE, List.of()).findFirst().orElseThrow().toString()).startsWith("10.");
  }

  @Test
  void beginsElsewhereForAnotherGateway() {
    assertThat(Subnet.free("/run/a".hashCode(), List.of()).findFirst())
        .isNotEqualTo(Subnet.free("/run/b".hashCode(), List.of()).findFirst());
  }

  @Test
  void seesOverlaps() {
    assertThat(Subnet.parse("10.0.0.0/8").overlaps(Subnet.parse("10.213.64.0/22"))).isTrue();
    assertThat(Subnet.parse("10.213.64.0/22").overlaps(Subnet.parse("10.213.68.0/22"))).isFalse();
    assertThat(Subnet.parse("10.213.65.7/22")).hasToString("10.213.64.0/22");
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0", "10.0.0.0/33", "10.0.0/24", "10.0.0.256/24", "fd00::/64", "a.b.c.d/8", "10.0.0.0/-1"})
  void refusesWhatIsNoSubnet(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Subnet.parse(text)).withMessageContaining(text)
        .withMessageContaining("subnet");
  }
}

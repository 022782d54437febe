package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.kernel.Routes.Admission;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NftScriptTest {
  private static final Target TARGET = new Target(4, new InetSocketAddress("10.9.0.2", 8080),
      Optional.of(new InetSocketAddress("fd00::2", 8080)));

  @Test
  void eachFamilySeesItsOwnAddressesOnly() throws Exception {
    Served service = new Served(new FunctionName("a"), 0, 9001,
        new Admission(List.of("192.168.1.0/24", "fd00::/8"), 50, 100), List.of(TARGET));
    Set<InetAddress> addresses = Set.of(InetAddress.getByName("192.168.1.7"), InetAddress.getByName("127.0.0.1"));

    assertThat(new NftScript(false, "weir-svc-x", "weir-x").all(addresses, List.of(service)))
        .contains("elements = { 192.168.1.7 }", "ip saddr != { 192.168.1.0/24 } drop", "dnat to 10.9.0.2:8080",
            "limit rate over 50/second burst 100 packets").doesNotContain("fd00", "127.0.0.1");
    assertThat(new NftScript(true, "weir-svc-x", "weir-x").all(addresses, List.of(service)))
        .contains("ip6 saddr != { fd00:0:0:0:0:0:0:0/8 } drop", "dnat to [fd00:0:0:0:0:0:0:2]:8080")
        .doesNotContain("192.168", "10.9");
  }

  @Test
  void whatIsRememberedOfClientsIsForgottenOnlyWhenTheirRateChanges() {
    NftScript script = new NftScript(false, "weir-svc-x", "weir-x");
    Admission fifty = new Admission(List.of(), 50, 100);

    assertThat(script.declare(new Served(new FunctionName("a"), 0, 9001, fifty, List.of()), fifty))
        .noneMatch(line -> line.contains("set ip weir-svc-x rate-9001") && !line.startsWith("add"));
    assertThat(script.declare(new Served(new FunctionName("a"), 0, 9001, new Admission(List.of(), 60, 100), List.of()), fifty))
        .contains("flush set ip weir-svc-x rate-9001");
    assertThat(script.declare(new Served(new FunctionName("a"), 0, 9001, Admission.EVERYBODY, List.of()), fifty))
        .contains("delete set ip weir-svc-x rate-9001").noneMatch(line -> line.contains("limit"));
  }

  @Test
  void aServiceWithoutInstanceLeadsNowhere() {
    Served service = new Served(new FunctionName("a"), 0, 9001, Admission.EVERYBODY, List.of());

    assertThat(new NftScript(false, "weir-svc-x", "weir-x").retarget(service))
        .containsExactly("flush chain ip weir-svc-x to-9001");
  }
}

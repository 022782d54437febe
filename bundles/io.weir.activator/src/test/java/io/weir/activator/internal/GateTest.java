package io.weir.activator.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.kernel.Routes.Admission;
import java.net.InetAddress;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class GateTest {
  private final AtomicLong nanos = new AtomicLong();

  private Gate gate(int rate, int burst) {
    return new Gate(new Admission(List.of(), rate, burst), nanos::get);
  }

  private static boolean admits(Gate gate, String client) throws Exception {
    return gate.admits(InetAddress.getByName(client));
  }

  @Test
  void letsABurstInAndThenTheRate() throws Exception {
    Gate gate = gate(2, 3);
    for (int i = 0; i < 3; i++) {
      assertThat(admits(gate, "10.0.0.1")).isTrue();
    }
    assertThat(admits(gate, "10.0.0.1")).isFalse();
    assertThat(admits(gate, "10.0.0.2")).as("another client").isTrue();
    nanos.addAndGet(500_000_000);
    assertThat(admits(gate, "10.0.0.1")).isTrue();
    assertThat(admits(gate, "10.0.0.1")).isFalse();
    nanos.addAndGet(60_000_000_000L);
    for (int i = 0; i < 3; i++) {
      assertThat(admits(gate, "10.0.0.1")).isTrue();
    }
    assertThat(admits(gate, "10.0.0.1")).as("no more than the burst").isFalse();
  }

  @Test
  void letsInOneAtATimeIfNoBurstIsSaid() throws Exception {
    Gate gate = gate(2, 0);
    assertThat(admits(gate, "10.0.0.1")).isTrue();
    assertThat(admits(gate, "10.0.0.1")).isFalse();
    nanos.addAndGet(500_000_000);
    assertThat(admits(gate, "10.0.0.1")).isTrue();
  }

  @Test
  void takesASixtyFourForOneClient() throws Exception {
    Gate gate = gate(1, 1);
    assertThat(admits(gate, "fd00::1")).isTrue();
    assertThat(admits(gate, "fd00::2")).isFalse();
    assertThat(admits(gate, "fd00:0:0:1::1")).isTrue();
  }
}

package io.weir.gateway.http.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class UsageApiTest {
  private final TestServer server = new TestServer();

  UsageApiTest() throws Exception {
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  @Test
  void tellsWhatEachFunctionUses() throws Exception {
    assertThat(server.get("/api/v1/usage").body()).contains("\"function\":\"thermo\",\"instances\":2,"
        + "\"cpuSeconds\":1.5,\"memoryBytes\":18874368,\"memoryLimitBytes\":134217728,\"pids\":5,"
        + "\"pressure\":{\"cpu\":12.5,\"memory\":0.0,\"io\":0.25}}").contains("\"pids\":0,\"pressure\":null}");
    assertThat(server.get("/api/v1/metrics").body())
        .contains("# TYPE weir_function_cpu_seconds_total counter\n"
            + "weir_function_cpu_seconds_total{function=\"other\"} 0.0\n"
            + "weir_function_cpu_seconds_total{function=\"thermo\"} 1.5\n")
        .contains("weir_function_memory_bytes{function=\"thermo\"} 18874368\n");
  }

  @Test
  void tellsNothingWithoutAPool() throws Exception {
    server.fakes.without = true;

    assertThat(server.get("/api/v1/usage").body()).isEqualTo("{\"functions\":[]}");
    assertThat(server.get("/api/v1/metrics").body()).doesNotContain("weir_function_");
  }
}

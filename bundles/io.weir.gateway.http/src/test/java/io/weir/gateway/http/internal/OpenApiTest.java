package io.weir.gateway.http.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.Payload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class OpenApiTest {
  @Test
  void describesExactlyWhatIsServed() throws Exception {
    try (TestServer server = new TestServer()) {
      Map<String, Object> document = TestServer.json(server.get("/api/v1/openapi.json"));
      Collection<String> served = new TreeSet<>(List.of("GET /healthz"));
      server.routes.forEach(route -> served.add(route.method() + " /api/v1" + route.template()));

      Collection<String> described = new TreeSet<>();
      ((Map<?, ?>) document.get("paths")).forEach((path, item) -> ((Map<?, ?>) item).keySet().stream()
          .filter(method -> !method.equals("parameters") && !path.toString().startsWith("/function/"))
          .forEach(method -> described.add(method.toString().toUpperCase() + " " + path)));

      assertThat(document).containsEntry("openapi", "3.1.0");
      assertThat(described).isEqualTo(served);
      assertThat(((Map<?, ?>) document.get("paths")).get("/function/{name}/{path}")).isNotNull();
    }
  }

  @Test
  void refersOnlyToWhatItDefines() throws Exception {
    try (TestServer server = new TestServer()) {
      String text = server.get("/api/v1/openapi.json").body();
      Map<String, Object> document = TestServer.json(server.get("/api/v1/openapi.json"));
      Map<?, ?> components = (Map<?, ?>) document.get("components");
      List<String> dangling = new ArrayList<>();
      Matcher references = Pattern.compile("\"#/components/(\\w+)/(\\w+)\"").matcher(text);
      while (references.find()) {
        if (!((Map<?, ?>) components.get(references.group(1))).containsKey(references.group(2))) {
          dangling.add(references.group());
        }
      }
      assertThat(dangling).isEmpty();
    }
  }

  @Test
  void namesEachKeyThatTheApiShows() throws Exception {
    try (TestServer server = new TestServer()) {
      Map<?, ?> schemas = (Map<?, ?>) ((Map<?, ?>) TestServer.json(server.get("/api/v1/openapi.json"))
          .get("components")).get("schemas");

      assertThat(keys(schemas, "Function")).isEqualTo(TestServer.json(server.get("/api/v1/functions/thermo")).keySet());
      assertThat(keys(schemas, "Status")).isEqualTo(TestServer.json(server.get("/api/v1/status")).keySet());
      assertThat(keys(schemas, "Calibration")).isEqualTo(((Map<?, ?>) ((List<?>) TestServer.json(
          server.get("/api/v1/calibration")).get("calibrations")).get(0)).keySet());
      Map<?, ?> forecast = TestServer.json(server.get("/api/v1/functions/thermo/forecast"));
      assertThat(keys(schemas, "ForecastInFull")).isEqualTo(forecast.keySet());
      assertThat(keys(schemas, "Forecast")).isEqualTo(((Map<?, ?>) ((List<?>) TestServer.json(
          server.get("/api/v1/forecasts")).get("forecasts")).get(0)).keySet());
      assertThat(keys(schemas, "ForecastAccount")).isEqualTo(((Map<?, ?>) ((Map<?, ?>) ((List<?>) forecast.get("candidates"))
          .get(0)).get("today")).keySet());
      assertThat(keys(schemas, "Feature")).isEqualTo(((Map<?, ?>) ((List<?>) TestServer.json(
          server.get("/api/v1/kernel")).get("features")).get(0)).keySet());
      assertThat(keys(schemas, "FunctionTraffic")).isEqualTo(((Map<?, ?>) ((List<?>) TestServer.json(
          server.get("/api/v1/traffic")).get("functions")).get(0)).keySet());
      assertThat(keys(schemas, "InstanceTraffic")).isEqualTo(((Map<?, ?>) ((List<?>) TestServer.json(
          server.get("/api/v1/traffic")).get("instances")).get(0)).keySet());
      assertThat(keys(schemas, "Usage")).isEqualTo(((Map<?, ?>) ((List<?>) TestServer.json(
          server.get("/api/v1/usage")).get("functions")).get(0)).keySet());
      server.fakes.events.publish(new GatewayEvent.Ended(Fakes.NOON, "1", new FunctionName("thermo"), "http", "/",
          "replied", 200, "", Duration.ZERO, Duration.ZERO, "", "", 1));
      assertThat(keys(schemas, "Invocation")).isEqualTo(((Map<?, ?>) ((List<?>) TestServer.json(
          server.get("/api/v1/invocations")).get("invocations")).get(0)).keySet());
      assertThat(keys(schemas, "Package")).isEqualTo(((Map<?, ?>) ((List<?>) TestServer.json(
          server.get("/api/v1/packages")).get("packages")).get(0)).keySet());
      assertThat(keys(schemas, "Deployment")).isEqualTo(TestServer.json(server.post("/api/v1/packages", "good")).keySet());
      assertThat(keys(schemas, "Journal")).isEqualTo(TestServer.json(server.get("/api/v1/journal")).keySet());
      assertThat(keys(schemas, "Audit")).isEqualTo(TestServer.json(server.get("/api/v1/audit")).keySet());
      server.fakes.journal.accept(new Entry(new Invocation("1", new FunctionName("thermo"), "http", "/", "GET", "/",
          List.of(), Payload.of(new byte[0]), Fakes.NOON, Guarantee.AT_LEAST_ONCE, false), Optional.empty(), "", List.of()));
      server.fakes.journal.deadLetter(1, "timeout", "", 1);
      assertThat(keys(schemas, "Outcome")).isEqualTo(TestServer.json(server.get(server.send(server.request("/function/echo")
          .header("Prefer", "respond-async")).headers().firstValue("Location").orElseThrow())).keySet());
      assertThat(keys(schemas, "DeadLetter")).isEqualTo(((Map<?, ?>) ((List<?>) TestServer.json(
          server.get("/api/v1/dead-letters")).get("deadLetters")).get(0)).keySet());
      assertThat(keys(schemas, "DeadLetterWithPayload")).isEqualTo(TestServer.json(
          server.get("/api/v1/dead-letters/1")).keySet());
      assertThat(keys(schemas, "Instance")).isEqualTo(((Map<?, ?>) ((List<?>) TestServer.json(
          server.get("/api/v1/instances")).get("instances")).get(0)).keySet());
    }
  }

  private static Collection<?> keys(Map<?, ?> schemas, String name) {
    Map<?, ?> schema = (Map<?, ?>) schemas.get(name);
    Collection<?> keys = ((Map<?, ?>) schema.get("properties")).keySet();
    assertThat(new HashSet<>((List<?>) schema.get("required"))).as("required of " + name).isEqualTo(keys);
    return keys;
  }
}

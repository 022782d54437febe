package io.weir.gateway.http.internal;

import io.weir.engine.Instance;
import io.weir.engine.InstancePool;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidDeclaration;
import io.weir.function.InvalidFunction;
import io.weir.function.Source;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Functions and their instances. */
final class FunctionsApi {
  private static final int MAX_LINES = 10_000;

  /** A weir.yaml and the files its handlers are in, by name. */
  private record Declaration(String yaml, Map<String, String> files) {
    static Declaration of(Map<String, Object> document) {
      Map<String, String> files = new LinkedHashMap<>();
      Object given = document.get("files");
      boolean texts = given == null || given instanceof Map<?, ?> map && map.values().stream().allMatch(
          String.class::isInstance);
      if (!(document.get("yaml") instanceof String yaml) || !texts) {
        throw new Problem(400, "bad-json",
            "the document must be {\"yaml\": \"text of a weir.yaml\", \"files\": {\"NAME\": \"text\"}}");
      }
      if (given instanceof Map<?, ?> map) {
        map.forEach((name, text) -> files.put(String.valueOf(name), (String) text));
      }
      return new Declaration(yaml, files);
    }
  }

  private final Services services;

  FunctionsApi(Services services) {
    this.services = services;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/functions", this::list),
        new Route("POST", "/functions", this::declare),
        new Route("GET", "/functions/{name}", this::get),
        new Route("DELETE", "/functions/{name}", this::remove),
        new Route("GET", "/functions/{name}/code", this::code),
        new Route("GET", "/functions/{name}/logs", this::logs),
        new Route("GET", "/instances", this::instances));
  }

  private void list(Call call) throws IOException {
    call.json(200, Json.object("functions", views(services.registry().functions())));
  }

  private void get(Call call) throws IOException {
    call.json(200, views(List.of(function(services, call))).get(0));
  }

  private void code(Call call) throws IOException {
    FunctionSpec function = function(services, call);
    if (function.source() instanceof Source.Handler handler) {
      call.text("text/plain;charset=utf-8", handler.code());
    } else {
      throw new Problem(404, "no-code", "function " + function.name() + " runs the image " + function.source()
          + "; its program is in there");
    }
  }

  private void declare(Call call) throws IOException {
    String source = call.query("source").orElse("weir.yaml");
    Declaration declaration = call.isJson() ? Declaration.of(call.jsonObject())
        : new Declaration(call.text(), Map.of());
    try {
      call.json(200, Json.object("functions",
          views(services.registry().declare(declaration.yaml, source, declaration.files))));
    } catch (InvalidDeclaration e) {
      Problem problem = new Problem(400, "invalid-declaration", e.getMessage()).with("source", e.problem().source())
          .with("message", e.problem().message());
      throw e.problem().line() > 0 ? problem.with("line", e.problem().line()) : problem;
    }
  }

  private void remove(Call call) {
    FunctionName name = name(call);
    try {
      if (!services.registry().remove(name)) {
        throw Problem.unknownFunction(name.value());
      }
    } catch (InvalidDeclaration e) {
      throw new Problem(409, "declared-elsewhere", e.problem().message()).with("source", e.problem().source());
    }
    call.exchange().status(204);
  }

  private void logs(Call call) throws IOException {
    int lines = call.whole("lines", 100, MAX_LINES);
    FunctionName name = function(services, call).name();
    InstancePool pool = services.pool().orElseThrow(() ->
        new Problem(503, "engine-unavailable", "no instances are kept now; look at /api/v1/status"));
    String text = pool.logs(name, lines).stream().map(line -> line + "\n").collect(Collectors.joining());
    call.text("text/plain;charset=utf-8", text);
  }

  private void instances(Call call) throws IOException {
    call.json(200, Json.object("instances",
        services.pool().map(InstancePool::instances).orElse(List.of()).stream().map(FunctionViews::instance).toList()));
  }

  private List<Map<String, Object>> views(List<FunctionSpec> functions) {
    Map<FunctionName, Long> running = services.pool().map(InstancePool::instances).orElse(List.of()).stream()
        .filter(instance -> instance.state() == Instance.State.READY || instance.state() == Instance.State.DRAINING)
        .collect(Collectors.groupingBy(Instance::function, Collectors.counting()));
    return functions.stream().map(spec -> FunctionViews.function(spec,
        services.registry().origin(spec.name()).orElse("configuration"), running.getOrDefault(spec.name(), 0L),
        services.ladder().flatMap(ladder -> ladder.breakdown(spec.name())),
        FunctionViews.service(spec, services.serviceAddresses()))).toList();
  }

  /** The function that the path names. */
  static FunctionSpec function(Services services, Call call) {
    FunctionName name = name(call);
    return services.registry().find(name).orElseThrow(() -> Problem.unknownFunction(name.value()));
  }

  private static FunctionName name(Call call) {
    try {
      return new FunctionName(call.path("name"));
    } catch (InvalidFunction e) {
      throw Problem.unknownFunction(call.path("name"));
    }
  }
}

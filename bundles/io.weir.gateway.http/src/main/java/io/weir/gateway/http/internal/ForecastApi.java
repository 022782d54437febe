package io.weir.gateway.http.internal;

import io.weir.forecast.ForecastReport;
import io.weir.forecast.Foresight;
import io.weir.forecast.Outlook;
import io.weir.forecast.Prewarms;
import io.weir.forecast.Window;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/** What is expected of functions, and what came of acting on it. */
final class ForecastApi {
  private final Services services;

  ForecastApi(Services services) {
    this.services = services;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/forecasts", this::list),
        new Route("GET", "/functions/{name}/forecast", this::get));
  }

  private void list(Call call) throws IOException {
    call.json(200, Json.object("forecasts", services.registry().functions().stream().map(FunctionSpec::name)
        .flatMap(name -> services.foresight().flatMap(all -> all.outlook(name)).stream())
        .map(ForecastApi::brief).toList()));
  }

  private void get(Call call) throws IOException {
    FunctionName function = FunctionsApi.function(services, call).name();
    Foresight foresight = services.foresight().orElseThrow(() ->
        new Problem(503, "engine-unavailable", "no instances are kept now; look at /api/v1/status"));
    Outlook outlook = foresight.outlook(function)
        .orElseThrow(() -> Problem.unknownFunction(function.value()));
    call.json(200, full(outlook));
  }

  private static Map<String, Object> full(Outlook outlook) {
    Optional<ForecastReport> report = outlook.report();
    Map<String, Object> view = brief(outlook);
    view.put("followers", report.map(ForecastReport::followers).orElse(List.of()).stream()
        .map(ForecastApi::view).toList());
    view.put("candidates", report.map(ForecastReport::candidates).orElse(List.of()).stream()
        .map(ForecastApi::view).toList());
    return view;
  }

  /** Without what only those want to know who look at this one. */
  private static Map<String, Object> brief(Outlook outlook) {
    Optional<ForecastReport> report = outlook.report();
    return Json.object("function", outlook.function().value(), "used", outlook.unused().isEmpty(),
        "unused", outlook.unused().orElse(null), "rests", outlook.rests().label(),
        "driver", report.map(ForecastReport::chosen).orElse(null),
        "arrivals", report.map(ForecastReport::arrivals).orElse(0L),
        "next", report.flatMap(ForecastReport::next).map(ForecastApi::view).orElse(null),
        "prewarms", view(outlook.prewarms()));
  }

  private static Map<String, Object> view(ForecastReport.Candidate candidate) {
    return Json.object("name", candidate.name(), "today", view(candidate.today()),
        "yesterday", view(candidate.yesterday()));
  }

  private static Map<String, Object> view(Window next) {
    return Json.object("from", next.head().toString(), "to", next.tail().toString(),
        "probability", next.probability());
  }

  private static Map<String, Object> view(Prewarms prewarms) {
    return Json.object("made", prewarms.made(), "hits", prewarms.hits(), "late", prewarms.late(),
        "wrong", prewarms.wrong(), "refused", prewarms.refused());
  }

  private static Map<String, Object> view(ForecastReport.Follower follower) {
    return Json.object("function", follower.function().value(), "afterSeconds", follower.afterSeconds(),
        "deviationSeconds", follower.deviationSeconds(), "probability", follower.probability());
  }

  private static Map<String, Object> view(ForecastReport.Account account) {
    return Json.object("hits", account.hits(), "misses", account.misses(), "wrong", account.wrong(),
        "memoryMibSeconds", account.memoryMibSeconds(), "delaySeconds", account.delaySeconds());
  }

  /** The same for monitoring systems. */
  static void write(Metrics metrics, Services services) {
    Map<FunctionName, Prewarms> all = services.foresight().map(Foresight::prewarms).orElse(Map.of());
    if (all.isEmpty()) {
      return;
    }
    Map<String, Prewarms> sorted = new TreeMap<>();
    all.forEach((function, prewarms) -> sorted.put(function.value(), prewarms));
    counter(metrics, "weir_prewarms", sorted, Prewarms::made);
    counter(metrics, "weir_prewarm_hits", sorted, Prewarms::hits);
    counter(metrics, "weir_prewarms_late", sorted, Prewarms::late);
    counter(metrics, "weir_prewarms_wrong", sorted, Prewarms::wrong);
    counter(metrics, "weir_prewarms_refused", sorted, Prewarms::refused);
  }

  private static void counter(Metrics metrics, String name, Map<String, Prewarms> all,
      ToLongFunction<Prewarms> value) {
    metrics.counter(name);
    all.forEach((function, prewarms) -> metrics.sample(name + "_total", Map.of("function", function),
        Long.toString(value.applyAsLong(prewarms))));
  }
}

package io.weir.gateway.http.internal;

import io.weir.engine.Calibration;
import io.weir.engine.Ladder;
import io.weir.engine.LeaseRefused;
import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import io.weir.function.Rung;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** What the rungs cost on this device, and bringing a function to one. */
final class LadderApi {
  /** Each holds a thread of the server that answers requests to functions as well. */
  private static final int MOST_WAITING = 8;
  private static final Duration REST_PATIENCE = Duration.ofSeconds(60);
  private static final Duration CALIBRATION_PATIENCE = Duration.ofMinutes(5);

  private final Services services;
  private final Semaphore waiting = new Semaphore(MOST_WAITING);

  LadderApi(Services services) {
    this.services = services;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/calibration", this::calibrations),
        new Route("POST", "/functions/{name}/calibration", this::calibrate),
        new Route("PUT", "/functions/{name}/rung", this::rest));
  }

  private void calibrations(Call call) throws IOException {
    call.json(200, Json.object("calibrations", services.ladder().map(Ladder::calibrations).orElse(List.of()).stream()
        .map(LadderApi::view).toList()));
  }

  private void calibrate(Call call) throws IOException {
    FunctionName function = FunctionsApi.function(services, call).name();
    call.json(200, view(await(ladder -> ladder.calibrate(function), function, CALIBRATION_PATIENCE)));
  }

  private void rest(Call call) throws IOException {
    FunctionName function = FunctionsApi.function(services, call).name();
    Rung rung = rung(call);
    await(ladder -> ladder.rest(function, rung), function, REST_PATIENCE);
    call.exchange().status(204);
  }

  private static Rung rung(Call call) throws IOException {
    Object rung = call.jsonObject().get("rung");
    try {
      return Rung.of("rung", rung instanceof String text ? text : "");
    } catch (InvalidFunction e) {
      throw new Problem(400, "bad-parameter", e.getMessage()).with("parameter", "rung");
    }
  }

  private <T> T await(Function<Ladder, CompletionStage<T>> change, FunctionName function, Duration patience) {
    Ladder ladder = services.ladder().orElseThrow(() ->
        new Problem(503, "engine-unavailable", "no instances are kept now; look at /api/v1/status"));
    if (!waiting.tryAcquire()) {
      throw new Problem(503, "busy", MOST_WAITING + " callers wait for instances to change already; try again")
          .retryAfter(Duration.ofSeconds(5));
    }
    try {
      return change.apply(ladder).toCompletableFuture().get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new Problem(504, "timeout", "function " + function + " was not there within " + patience.toSeconds()
          + " s; it may get there yet, look at /api/v1/instances");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(503, "stopping", "the gateway is going down");
    } catch (ExecutionException e) {
      throw problem(e.getCause(), function);
    } finally {
      waiting.release();
    }
  }

  private RuntimeException problem(Throwable cause, FunctionName function) {
    if (cause instanceof LeaseRefused refused) {
      return problem(refused, function);
    } else if (cause instanceof IllegalArgumentException) {
      return services.registry().find(function).isEmpty() ? Problem.unknownFunction(function.value())
          : new Problem(400, "cannot-rest", String.valueOf(cause.getMessage()));
    }
    return new IllegalStateException("function " + function, cause);
  }

  private static Problem problem(LeaseRefused refused, FunctionName function) {
    String detail = String.valueOf(refused.getMessage());
    return switch (refused.code()) {
      case UNKNOWN_FUNCTION -> Problem.unknownFunction(function.value());
      case ENGINE_UNAVAILABLE, STOPPING -> new Problem(503, refused.code().label(), detail)
          .retryAfter(refused.retryAfter());
      default -> new Problem(409, refused.code().label(), detail).retryAfter(refused.retryAfter());
    };
  }

  private static Map<String, Object> view(Calibration calibration) {
    return Json.object("function", calibration.function().value(), "source", calibration.source(),
        "at", calibration.at().toString(), "figures", calibration.figures().stream().map(figure -> Json.object(
            "rung", figure.rung().label(), "resumeMs", EventViews.millis(figure.resume()),
            "parkMs", EventViews.millis(figure.park()), "memoryBytes", figure.memoryBytes(),
            "samples", figure.samples())).toList());
  }
}

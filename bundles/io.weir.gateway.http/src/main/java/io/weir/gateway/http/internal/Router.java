package io.weir.gateway.http.internal;

import io.weir.admin.AdminApi;
import io.weir.engine.EngineException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The admin API without the way by which requests come: finds the route, and turns failures into {@link Problem}s. */
final class Router implements AdminApi {
  static final String BASE = "/api/v1";
  private static final Logger log = LoggerFactory.getLogger(Router.class);

  private final List<Route> routes;

  Router(List<Route> routes) {
    this.routes = routes;
  }

  @Override
  public Reply call(Request request) {
    HeldExchange exchange = new HeldExchange(request);
    try {
      route(exchange, request.path());
      return exchange.reply();
    } catch (Problem problem) {
      return exchange.reply(problem);
    } catch (IOException e) {
      return exchange.reply(failed(request.method() + " " + request.path(), e));
    }
  }

  /** @throws Problem for whatever the caller should hear of */
  void route(Exchange exchange, String path) throws IOException {
    try {
      find(exchange, path);
    } catch (EngineException e) {
      throw problem(e);
    } catch (Problem problem) {
      throw problem;
    } catch (RuntimeException e) {
      throw failed(exchange.method() + " " + path, e);
    }
  }

  private static Problem failed(String what, Exception e) {
    log.error("{} failed", what, e);
    return new Problem(500, "internal", "the gateway failed; its log says more");
  }

  private void find(Exchange exchange, String path) throws IOException {
    String method = exchange.method().equals("HEAD") ? "GET" : exchange.method();
    Set<String> allowed = new TreeSet<>();
    for (Route route : routes) {
      Optional<Map<String, String>> parameters = route.match(path);
      if (parameters.isPresent()) {
        if (route.method().equals(method)) {
          route.handler().handle(new Call(exchange, parameters.get()));
          return;
        }
        allowed.add(route.method());
      }
    }
    if (allowed.isEmpty()) {
      throw new Problem(404, "not-found", BASE + path + " is not part of the API; " + BASE
          + "/openapi.json describes it");
    }
    exchange.header("Allow", String.join(", ", allowed));
    if (method.equals("OPTIONS")) {
      exchange.status(204);
    } else {
      throw new Problem(405, "method-not-allowed", method + " is not allowed here; use " + String.join(", ", allowed));
    }
  }

  private static Problem problem(EngineException e) {
    int status = switch (e.code()) {
      case UNAVAILABLE -> 503;
      case TIMEOUT -> 504;
      case NO_SUCH_IMAGE, NO_SUCH_CONTAINER -> 404;
      case CONFLICT -> 409;
      case NO_SPACE -> 507;
      case BAD_REQUEST -> 400;
      case START_FAILED, FAILED -> 502;
    };
    Problem problem = new Problem(status, code(e), String.valueOf(e.getMessage()));
    return status == 503 ? problem.retryAfter(Duration.ofSeconds(5)) : problem;
  }

  /** {@code NO_SPACE} as {@code no-space}. */
  static String code(EngineException e) {
    return "engine-" + e.code().name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}

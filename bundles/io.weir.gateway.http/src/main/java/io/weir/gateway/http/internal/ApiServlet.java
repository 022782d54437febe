package io.weir.gateway.http.internal;

import io.weir.engine.EngineException;
import io.weir.gateway.http.internal.FrontDoorServlet.Mounted;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
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

/** The admin API: finds the route, keeps foreign web pages out, and turns failures into problem documents. */
final class ApiServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;
  static final String BASE = "/api/v1";
  private static final Logger log = LoggerFactory.getLogger(ApiServlet.class);
  private static final Set<String> READING = Set.of("GET", "HEAD", "OPTIONS");

  private final transient List<Route> routes;
  private final transient Mounted mounted;

  ApiServlet(List<Route> routes, Mounted mounted) {
    this.routes = routes;
    this.mounted = mounted;
  }

  @Override
  public void init() {
    mounted.up();
  }

  @Override
  public void destroy() {
    mounted.down();
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
    response.setHeader("X-Content-Type-Options", "nosniff");
    try {
      requireOwnOrigin(request);
      route(request, response);
    } catch (Problem problem) {
      tell(problem, request, response);
    } catch (EngineException e) {
      tell(problem(e), request, response);
    } catch (RuntimeException e) {
      log.error("{} {} failed", request.getMethod(), request.getRequestURI(), e);
      tell(new Problem(500, "internal", "the gateway failed; its log says more"), request, response);
    }
  }

  private static void tell(Problem problem, HttpServletRequest request, HttpServletResponse response) {
    try {
      problem.write(request, response);
    } catch (IOException e) {
      log.debug("The client of {} went before it was told", request.getRequestURI(), e);
    }
  }

  private void route(HttpServletRequest request, HttpServletResponse response) throws IOException {
    String path = Optional.ofNullable(request.getPathInfo()).orElse("/");
    String method = request.getMethod().equals("HEAD") ? "GET" : request.getMethod();
    Set<String> allowed = new TreeSet<>();
    for (Route route : routes) {
      Optional<Map<String, String>> parameters = route.match(path);
      if (parameters.isPresent()) {
        if (route.method().equals(method)) {
          route.handler().handle(new Call(request, response, parameters.get()));
          return;
        }
        allowed.add(route.method());
      }
    }
    if (allowed.isEmpty()) {
      throw new Problem(404, "not-found", BASE + path + " is not part of the API; " + BASE
          + "/openapi.json describes it");
    }
    response.setHeader("Allow", String.join(", ", allowed));
    if (method.equals("OPTIONS")) {
      response.setStatus(204);
    } else {
      throw new Problem(405, "method-not-allowed", method + " is not allowed here; use " + String.join(", ", allowed));
    }
  }

  /** A browser says where the page came from that makes a request; only the gateway's own pages may change things. */
  private static void requireOwnOrigin(HttpServletRequest request) {
    if (READING.contains(request.getMethod())) {
      return;
    }
    String origin = request.getHeader("Origin");
    String site = request.getHeader("Sec-Fetch-Site");
    boolean foreign = origin == null ? site != null && !site.equals("same-origin") && !site.equals("none")
        : !origin.substring(origin.indexOf("://") < 0 ? 0 : origin.indexOf("://") + 3)
            .equalsIgnoreCase(String.valueOf(request.getHeader("Host")));
    if (foreign) {
      throw new Problem(403, "cross-site", "a page of " + (origin == null ? "another site" : origin)
          + " may not change this gateway");
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

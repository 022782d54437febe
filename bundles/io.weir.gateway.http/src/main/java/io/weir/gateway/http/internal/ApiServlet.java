package io.weir.gateway.http.internal;

import io.weir.gateway.http.internal.FrontDoorServlet.Mounted;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The admin API over HTTP: keeps foreign web pages out, and writes problem documents. */
final class ApiServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;
  private static final Logger log = LoggerFactory.getLogger(ApiServlet.class);
  private static final Set<String> READING = Set.of("GET", "HEAD", "OPTIONS");

  private final transient Router router;
  private final transient Mounted mounted;

  ApiServlet(List<Route> routes, Mounted mounted) {
    this(new Router(routes), mounted);
  }

  ApiServlet(Router router, Mounted mounted) {
    this.router = router;
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
      router.route(new ServletExchange(request, response), Optional.ofNullable(request.getPathInfo()).orElse("/"));
    } catch (Problem problem) {
      tell(problem, request, response);
    }
  }

  private static void tell(Problem problem, HttpServletRequest request, HttpServletResponse response) {
    try {
      ProblemWriter.write(problem, request, response);
    } catch (IOException e) {
      log.debug("The client of {} went before it was told", request.getRequestURI(), e);
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
}

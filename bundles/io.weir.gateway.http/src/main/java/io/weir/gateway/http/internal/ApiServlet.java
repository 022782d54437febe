package io.weir.gateway.http.internal;

import io.weir.gateway.http.internal.FrontDoorServlet.Mounted;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The admin API over HTTP: keeps foreign web pages out, and writes problem documents. */
final class ApiServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;
  private static final Logger log = LoggerFactory.getLogger(ApiServlet.class);

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
      ServletExchange exchange = new ServletExchange(request, response);
      OwnOrigin.require(exchange);
      router.route(exchange, Optional.ofNullable(request.getPathInfo()).orElse("/"));
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
}

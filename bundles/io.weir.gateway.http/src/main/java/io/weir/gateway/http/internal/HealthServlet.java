package io.weir.gateway.http.internal;

import io.weir.gateway.http.internal.FrontDoorServlet.Mounted;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;

/** {@code GET /healthz}: 200 when every part is ready, else 503; for service managers and load balancers. */
final class HealthServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;

  private final transient BooleanSupplier ready;
  private final transient Mounted mounted;

  HealthServlet(BooleanSupplier ready, Mounted mounted) {
    this.ready = ready;
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
  protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
    boolean now = ready.getAsBoolean();
    byte[] body = (now ? "ready\n" : "not ready\n").getBytes(StandardCharsets.US_ASCII);
    response.setStatus(now ? 200 : 503);
    response.setContentType("text/plain;charset=utf-8");
    response.setHeader("Cache-Control", "no-store");
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }
}

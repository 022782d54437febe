package io.weir.console.internal;

import jakarta.servlet.Servlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.servlet.whiteboard.HttpWhiteboardConstants;

/**
 * The page at {@code /console/}. A servlet and not resources of the whiteboard, because those cannot say what a browser
 * may do with the page.
 */
@Component(service = Servlet.class, property = {
    HttpWhiteboardConstants.HTTP_WHITEBOARD_SERVLET_PATTERN + "=" + ConsoleServlet.BASE + "/*",
    HttpWhiteboardConstants.HTTP_WHITEBOARD_SERVLET_NAME + "=weir " + ConsoleServlet.BASE})
public final class ConsoleServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;
  static final String BASE = "/console";
  /**
   * Scripts and styles are files of ours, connections go to this gateway, nobody frames the page, and a script that
   * tries to make markup of a text fails.
   */
  static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
      + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
      + "require-trusted-types-for 'script'; trusted-types 'none'";
  private static final Set<String> READING = Set.of("GET", "HEAD");

  private final transient Page page = new Page();

  @Activate
  public ConsoleServlet() {}

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
    response.setHeader("Content-Security-Policy", POLICY);
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Referrer-Policy", "no-referrer");
    response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
    if (!READING.contains(request.getMethod())) {
      response.setHeader("Allow", "GET, HEAD");
      text(response, 405, "only GET and HEAD are allowed here");
      return;
    }
    String path = request.getPathInfo();
    if (path == null) {
      // The page names its files relative to its own path.
      response.setStatus(308);
      response.setHeader("Location", request.getContextPath() + BASE + "/");
      return;
    }
    Optional<Page.File> file = page.file(path.substring(1));
    if (file.isPresent()) {
      send(file.get(), request, response);
    } else {
      text(response, 404, "the console has no such file");
    }
  }

  private static void send(Page.File file, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    // Asked for each time, and answered in a few bytes while it is the same.
    response.setHeader("Cache-Control", "no-cache");
    response.setHeader("ETag", file.tag());
    String known = request.getHeader("If-None-Match");
    if (known != null && (known.contains(file.tag()) || known.equals("*"))) {
      response.setStatus(304);
      return;
    }
    response.setContentType(file.type());
    response.setContentLength(file.bytes().length);
    if (request.getMethod().equals("GET")) {
      response.getOutputStream().write(file.bytes());
    }
  }

  private static void text(HttpServletResponse response, int status, String text) throws IOException {
    response.setStatus(status);
    response.setContentType("text/plain;charset=utf-8");
    response.setHeader("Cache-Control", "no-store");
    response.getOutputStream().print(text + "\n");
  }
}

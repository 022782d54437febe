package io.weir.console.internal;

import jakarta.servlet.Servlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.servlet.whiteboard.HttpWhiteboardConstants;

/** Leads from {@code /}, and nothing below it, to the page; whoever else wants that path has it. */
@Component(service = Servlet.class, property = {
    HttpWhiteboardConstants.HTTP_WHITEBOARD_SERVLET_PATTERN + "=",
    HttpWhiteboardConstants.HTTP_WHITEBOARD_SERVLET_NAME + "=weir /",
    Constants.SERVICE_RANKING + ":Integer=-1000"})
public final class RootServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;

  @Activate
  public RootServlet() {}

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response) {
    response.setStatus(302);
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("Location", request.getContextPath() + ConsoleServlet.BASE + "/");
  }
}

package io.weir.gateway.http.internal;

import io.weir.function.FunctionListener;
import io.weir.function.FunctionName;
import io.weir.gateway.http.internal.FrontDoorServlet.Mounted;
import io.weir.invocation.Answers;
import jakarta.servlet.Servlet;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.servlet.whiteboard.HttpWhiteboardConstants;

/** Hands the servlets to whatever HTTP server runs the whiteboard. */
final class ServletSite implements Site {
  private static final int SERVLETS = 3;

  private final BundleContext context;
  private final Mounted mounted;
  private final KeptCalls kept;
  private final FrontDoor door;
  private final TriggerPaths triggers;
  private final List<ServiceRegistration<?>> registrations = new ArrayList<>();

  ServletSite(BundleContext context, Services services, Router router, BooleanSupplier ready, HttpConfig config,
      Clock clock, Runnable changed) {
    this.context = context;
    this.mounted = new Mounted(changed);
    this.triggers = new TriggerPaths(this::mountTrigger);
    this.kept = new KeptCalls(services, (int) Math.min(config.max_body_bytes(), config.max_kept_bytes()),
        config.max_kept_bytes(), clock);
    this.door = new FrontDoor(services, ready, config.max_body_bytes(), clock, kept);
    registrations.add(mount("/function/*", FrontDoorServlet.byName(door, mounted)));
    registrations.add(mount(Router.BASE + "/*", new ApiServlet(router, mounted)));
    registrations.add(mount("/healthz", new HealthServlet(ready, mounted)));
    registrations.add(context.registerService(FunctionListener.class, triggers, null));
    registrations.add(context.registerService(Answers.class, kept, null));
  }

  private ServiceRegistration<?> mount(String pattern, Servlet servlet) {
    Hashtable<String, Object> properties = new Hashtable<>();
    properties.put(HttpWhiteboardConstants.HTTP_WHITEBOARD_SERVLET_PATTERN, pattern);
    properties.put(HttpWhiteboardConstants.HTTP_WHITEBOARD_SERVLET_NAME, "weir " + pattern);
    properties.put(HttpWhiteboardConstants.HTTP_WHITEBOARD_SERVLET_ASYNC_SUPPORTED, true);
    return context.registerService(Servlet.class, servlet, properties);
  }

  private Runnable mountTrigger(String path, FunctionName function) {
    String decoded = URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.UTF_8);
    return mount(decoded + "/*", FrontDoorServlet.ofTrigger(door, function, path))::unregister;
  }

  @Override
  public boolean ready() {
    return mounted.count() >= SERVLETS;
  }

  @Override
  public String state() {
    return ready() ? "serving /function/ and " + Router.BASE + ", " + triggers.count() + " trigger paths"
        : "waiting for an HTTP server with the OSGi servlet whiteboard";
  }

  @Override
  public void close() {
    registrations.forEach(ServiceRegistration::unregister);
    triggers.close();
    kept.close();
  }
}

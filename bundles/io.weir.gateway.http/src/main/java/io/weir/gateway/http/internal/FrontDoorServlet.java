package io.weir.gateway.http.internal;

import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The front door where the server mounts it: at {@code /function/*}, or at the path of one HTTP trigger. */
final class FrontDoorServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;
  /** Marks a request whose answer broke off, when it comes back to be reset. */
  static final String CUT = "io.weir.cut";
  private static final Logger log = LoggerFactory.getLogger(FrontDoorServlet.class);

  private final transient FrontDoor door;
  /** Fixed for the path of a trigger; absent where the path names the function. */
  private final transient @Nullable FunctionName function;
  private final int segments;
  private final transient Mounted mounted;

  private FrontDoorServlet(FrontDoor door, @Nullable FunctionName function, int segments, Mounted mounted) {
    this.door = door;
    this.function = function;
    this.segments = segments;
    this.mounted = mounted;
  }

  static FrontDoorServlet byName(FrontDoor door, Mounted mounted) {
    return new FrontDoorServlet(door, null, 2, mounted);
  }

  static FrontDoorServlet ofTrigger(FrontDoor door, FunctionName function, String path) {
    return new FrontDoorServlet(door, function, Paths.segments(path), Mounted.UNCOUNTED);
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
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
    if (request.getAttribute(CUT) != null) {
      throw new AnswerCut();
    }
    try {
      String path = request.getRequestURI().substring(request.getContextPath().length());
      if (Paths.climbs(path)) {
        throw new Problem(400, "bad-path", "the path has a segment '.' or '..'; write it without");
      }
      int cut = Paths.afterSegments(path, segments);
      String prefix = path.substring(0, cut);
      FunctionName name = function == null ? name(prefix) : function;
      door.serve(request, response, name, request.getContextPath() + prefix, path.substring(cut));
    } catch (Problem problem) {
      ProblemWriter.write(problem, request, response);
    } catch (RuntimeException e) {
      log.error("{} {} failed", request.getMethod(), request.getRequestURI(), e);
      ProblemWriter.write(new Problem(500, "internal", "the gateway failed; its log says more"), request, response);
    }
  }

  private static FunctionName name(String prefix) {
    String segment = prefix.substring(Math.min(prefix.length(), Paths.afterSegments(prefix, 1) + 1));
    String plain = segment.indexOf('%') < 0 ? segment : URLDecoder.decode(segment, StandardCharsets.UTF_8);
    try {
      return new FunctionName(plain);
    } catch (InvalidFunction e) {
      throw Problem.unknownFunction(plain);
    }
  }

  /**
   * Resets the connection. No Exception, because Felix's dispatcher catches those and ends the response as if it were
   * whole; only what reaches the server itself makes it break off.
   */
  private static final class AnswerCut extends Error {
    private static final long serialVersionUID = 1L;

    private AnswerCut() {
      super("the function's answer broke off", null, false, false);
    }
  }

  /** Counts the servlets that the server has taken up. */
  static final class Mounted {
    static final Mounted UNCOUNTED = new Mounted(() -> { });
    private final AtomicInteger count = new AtomicInteger();
    private final Runnable changed;

    Mounted(Runnable changed) {
      this.changed = changed;
    }

    void up() {
      count.incrementAndGet();
      changed.run();
    }

    void down() {
      count.decrementAndGet();
      changed.run();
    }

    int count() {
      return count.get();
    }
  }
}

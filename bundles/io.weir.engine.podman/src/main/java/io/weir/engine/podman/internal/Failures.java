package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.jr.ob.JSON;

/**
 * What went wrong, told from Podman's answer. Podman's status codes are coarse (a missing image is a 500), so its words
 * decide.
 */
final class Failures {
  private Failures() {}

  /** @param what the call in words, for example {@code starting container weir-hello-0} */
  static EngineException of(String what, boolean starting, int status, String body) {
    String words = words(body);
    Code code = code(starting, status, words.toLowerCase(Locale.ROOT));
    String said = words.isEmpty() ? "Podman answered " + status : words;
    return new EngineException(code, what + " failed: " + said + advice(code, said));
  }

  static Code code(boolean starting, int status, String words) {
    if (has(words, "no space left on device", "disk quota exceeded")) {
      return Code.NO_SPACE;
    }
    if (has(words, "image not known", "no such image", "manifest unknown", "unable to find a name and tag match")) {
      return Code.NO_SUCH_IMAGE;
    }
    if (has(words, "no such container", "no container with name or id", "container does not exist")) {
      return Code.NO_SUCH_CONTAINER;
    }
    if (status == 409 || has(words, "name is already in use", "container state improper", "already exists")) {
      return Code.CONFLICT;
    }
    if (starting) {
      return Code.START_FAILED;
    }
    if (status == 400 || has(words, "invalid argument", "invalid reference format", "failed to decode",
        "names must match", "does not match any of the supported image formats", "invalid configuration")) {
      return Code.BAD_REQUEST;
    }
    return Code.FAILED;
  }

  private static String advice(Code code, String words) {
    return switch (code) {
      case NO_SUCH_IMAGE -> ". Build, load or pull the image on this gateway first";
      case NO_SPACE -> ". Free space in Podman's storage or run directory, for example by removing unused images";
      case START_FAILED -> startAdvice(words.toLowerCase(Locale.ROOT));
      default -> "";
    };
  }

  private static String startAdvice(String words) {
    if (has(words, "rlimit")) {
      return ". Set default_ulimits in containers.conf to values this machine's hard limits allow";
    }
    if (has(words, "memory limit", "oom", "cannot allocate memory", "unable to set memory")) {
      return ". Give the function more memory";
    }
    if (has(words, "exec format error")) {
      return ". The image's entrypoint is for another processor architecture, or a script without #! line";
    }
    if (has(words, "permission denied")) {
      return ". Make the image's entrypoint executable for user 1000 (chmod 755)";
    }
    if (has(words, "no such file", "not found in $path", "not found")) {
      return ". Check that the image's entrypoint exists and that its interpreter and libraries are in the image";
    }
    return "";
  }

  static EngineException unreachable(String what, Path socket, IOException cause) {
    String why = cause instanceof ConnectException ? "nothing listens on " + socket : String.valueOf(cause.getMessage());
    return new EngineException(Code.UNAVAILABLE, what + " failed: the Podman service does not answer (" + why
        + "). The gateway goes on trying; if it stays so, look at the service's log", cause);
  }

  static EngineException timeout(String what, Duration limit, InterruptedIOException cause) {
    if (Thread.currentThread().isInterrupted()) {
      return new EngineException(Code.UNAVAILABLE, what + " was interrupted: the gateway is stopping", cause);
    }
    return new EngineException(Code.TIMEOUT, what + " failed: Podman did not answer within " + limit.toSeconds()
        + " s; the machine may be overloaded, or the call may still take effect", cause);
  }

  /** The message of an error document, or the text itself. */
  static String words(String body) {
    try {
      Map<String, Object> error = JSON.std.mapFrom(body);
      return printable(Json.nonEmpty(error, "message").or(() -> Json.nonEmpty(error, "cause")).orElse(body));
    } catch (JacksonException | IllegalArgumentException e) {
      return printable(body);
    }
  }

  /** Of a conmon that was killed Podman quotes a file of zeros, which would make our log a binary file. */
  private static String printable(String words) {
    return words.replaceAll("[\\p{Cntrl}&&[^\n\t]]+", " ").strip();
  }

  /** Somebody may have removed the functions' network; it can be made again. */
  static boolean networkIsMissing(EngineException e) {
    return has(e.getMessage(), "network not found", "unable to find network");
  }

  private static boolean has(String words, String... any) {
    for (String one : any) {
      if (words.contains(one)) {
        return true;
      }
    }
    return false;
  }
}

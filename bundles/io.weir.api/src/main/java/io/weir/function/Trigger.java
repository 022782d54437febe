package io.weir.function;

/** What makes a function run. */
public sealed interface Trigger {

  /**
   * Messages on MQTT topics.
   *
   * @param filter the topics to subscribe to
   * @param qos 0, 1 or 2; answers are published with the same
   * @param path the path on the function that receives the event
   */
  record Mqtt(TopicFilter filter, int qos, String path) implements Trigger {
    /** @throws InvalidFunction if {@code qos} or {@code path} is out of range */
    public Mqtt {
      if (qos < 0 || qos > 2) {
        throw new InvalidFunction("qos", qos, "0, 1 or 2");
      }
      requirePath("path", path);
    }
  }

  /**
   * HTTP requests below a path of the front door, beside {@code /function/NAME/}, which every function has.
   *
   * @param path a prefix of whole segments, for example {@code /thermo}; unique in the gateway
   */
  record Http(String path) implements Trigger {
    /** @throws InvalidFunction if the path is none, or belongs to the gateway itself */
    public Http {
      requirePath("http", path);
      if (path.equals("/") || path.endsWith("/") || path.matches("/(function|api|healthz)(/.*)?")) {
        throw new InvalidFunction("http", path,
            "a path of your own without a trailing slash, for example /thermo; /function, /api and /healthz belong to Weir");
      }
    }

    /** Whether a request path lies at or below this one. */
    public boolean covers(String requestPath) {
      return requestPath.startsWith(path)
          && (requestPath.length() == path.length() || requestPath.charAt(path.length()) == '/');
    }
  }

  private static void requirePath(String key, String path) {
    if (!path.matches("/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*") || path.contains("//") || path.matches(".*/\\.\\.?(/.*)?")) {
      throw new InvalidFunction(key, path, "an absolute URL path without '..', '//', query and spaces, for example /events");
    }
  }
}

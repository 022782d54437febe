package io.weir.function;

import java.nio.charset.StandardCharsets;

/** What makes a function run. */
public sealed interface Trigger {

  /**
   * Messages on MQTT topics.
   *
   * @param filter the topics to subscribe to
   * @param qos 0, 1 or 2; answers are published with the same
   * @param path the path on the function that receives the event
   * @param fast whether the kernel may bring messages to the function by itself, where it can
   * @param promise what becomes of messages that came with QoS 1 or 2; one of QoS 0 is promised nothing
   */
  record Mqtt(TopicFilter filter, int qos, String path, boolean fast, Promise promise) implements Trigger {
    /** Bytes of a topic, and of a path, that the kernel's programs have room for. */
    private static final int FAST_TOPIC = 64;
    private static final int FAST_PATH = 100;

    /** @throws InvalidFunction if a value, or their combination, is not allowed */
    public Mqtt {
      if (qos < 0 || qos > 2) {
        throw new InvalidFunction("qos", qos, "0, 1 or 2");
      }
      requirePath("path", path);
      requireSense(qos, promise.level());
      if (fast) {
        requireFast(filter, qos, path);
        requireNothingElse(promise);
      }
    }

    /** With the promise that goes with its QoS. */
    public Mqtt(TopicFilter filter, int qos, String path, boolean fast) {
      this(filter, qos, path, fast, new Promise(Promise.Level.of(qos)));
    }

    /** By the gateway. */
    public Mqtt(TopicFilter filter, int qos, String path) {
      this(filter, qos, path, false);
    }

    /** A broker that forgets what it sent, or sends it again, decides more than the gateway does. */
    private static void requireSense(int qos, Promise.Level level) {
      if (level == Promise.Level.AT_MOST_ONCE && qos > 0) {
        throw new InvalidFunction("delivery", level.label(), "qos: 0 with it (with qos: " + qos
            + " the broker sends again what it has no receipt for), or at-least-once");
      }
      if (level == Promise.Level.AT_LEAST_ONCE && qos == 0) {
        throw new InvalidFunction("delivery", level.label(), "qos: 1 or 2 with it (with qos: 0 the broker keeps nothing), "
            + "or at-most-once");
      }
      if (level == Promise.Level.EXACTLY_ONCE && qos < 2) {
        throw new InvalidFunction("delivery", level.label(), "qos: 2 with it (with qos: " + qos + " the broker may "
            + (qos == 0 ? "lose a message" : "send a message twice") + "), or " + Promise.Level.of(qos).label());
      }
    }

    private static void requireNothingElse(Promise promise) {
      if (!promise.order().equals(Promise.Order.TOPIC)) {
        throw new InvalidFunction("order", promise.order().label(), "topic with fast: kernel, or leave fast away");
      }
      if (!promise.retry().equals(Promise.Retry.DEFAULT)) {
        throw new InvalidFunction("retry", "retry: excludes fast: kernel, which keeps no count of attempts; remove one");
      }
      if (promise.urgency() != Promise.Urgency.NORMAL) {
        throw new InvalidFunction("priority", promise.urgency().label(), "normal with fast: kernel, or leave fast away");
      }
    }

    private static void requireFast(TopicFilter filter, int qos, String path) {
      if (filter.wildcards() > 0) {
        throw new InvalidFunction("mqtt", filter, "one exact topic with fast: kernel, or leave fast away");
      }
      if (filter.value().getBytes(StandardCharsets.UTF_8).length > FAST_TOPIC) {
        throw new InvalidFunction("mqtt", filter, "a topic of at most 64 bytes with fast: kernel, or leave fast away");
      }
      if (qos == 2) {
        throw new InvalidFunction("qos", qos, "0 or 1 with fast: kernel, which is never exactly-once, or leave fast away");
      }
      if (path.length() > FAST_PATH) {
        throw new InvalidFunction("path", path, "at most 100 characters with fast: kernel, or leave fast away");
      }
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
      if (path.equals("/") || path.endsWith("/") || path.matches("/(function|api|healthz|console)(/.*)?")) {
        throw new InvalidFunction("http", path,
            "a path of your own without a trailing slash, for example /thermo; /function, /api, /healthz and /console belong to Weir");
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

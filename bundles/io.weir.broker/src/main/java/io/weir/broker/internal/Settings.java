package io.weir.broker.internal;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** The configuration, checked. */
record Settings(Optional<URI> external, String username, String password, InetAddress host, int port,
    int maxMessageBytes, int maxQueuedMessages, int maxQueuedBytes, int autosaveSeconds, boolean anonymous,
    Map<String, String> users, Optional<Path> executable) {
  /** The gateway's own user of the bundled broker. */
  static final String GATEWAY_USER = "weir";

  private static final Pattern USER = Pattern.compile("[^:#\\s\\p{Cntrl}][^:\\s\\p{Cntrl}]{0,63}");

  static Settings of(BrokerConfig config) {
    return of(config, stored -> stored);
  }

  /** @param reveal what makes clear text of passwords as they are stored */
  static Settings of(BrokerConfig config, UnaryOperator<String> reveal) {
    InetAddress host = host(config.host());
    Map<String, String> users = users(reveal.apply(config._users()));
    return new Settings(external(config.url()), config.username(), reveal.apply(config._password()), host,
        inRange("port", config.port(), 1, 65_535),
        inRange("max.message.bytes", config.max_message_bytes(), 1024, 268_435_455),
        inRange("max.queued.messages", config.max_queued_messages(), 1, 10_000_000),
        inRange("max.queued.bytes", config.max_queued_bytes(), 1024, Integer.MAX_VALUE),
        inRange("autosave.seconds", config.autosave_seconds(), 1, 86_400),
        anonymous(config.anonymous(), host, users), users,
        config.executable().isBlank() ? Optional.empty() : Optional.of(Path.of(config.executable().strip())));
  }

  private static Optional<URI> external(String url) {
    if (url.isBlank()) {
      return Optional.empty();
    }
    try {
      URI uri = new URI(url.strip());
      String scheme = String.valueOf(uri.getScheme());
      if (uri.getHost() == null || !(scheme.equals("tcp") || scheme.equals("ssl"))) {
        throw wrong("url", url, "tcp://HOST:PORT or ssl://HOST:PORT, or nothing for the bundled broker");
      }
      int port = uri.getPort() > 0 ? uri.getPort() : scheme.equals("ssl") ? 8883 : 1883;
      return Optional.of(new URI(scheme, null, uri.getHost(), port, null, null, null));
    } catch (URISyntaxException e) {
      throw wrong("url", url, "tcp://HOST:PORT or ssl://HOST:PORT, or nothing for the bundled broker");
    }
  }

  /** Only addresses: a name would have to be looked up while the component activates. */
  private static InetAddress host(String text) {
    String host = text.strip();
    if (host.equals("localhost")) {
      return InetAddress.getLoopbackAddress();
    }
    try {
      if (host.matches("[0-9.]+") || host.indexOf(':') >= 0) {
        return InetAddress.getByName(host);
      }
    } catch (UnknownHostException e) {
      throw wrong("host", text, "an IP address of this machine: 127.0.0.1, 0.0.0.0 for all, or one of its own");
    }
    throw wrong("host", text, "an IP address of this machine: 127.0.0.1, 0.0.0.0 for all, or one of its own");
  }

  private static boolean anonymous(String value, InetAddress host, Map<String, String> users) {
    boolean local = host.isLoopbackAddress();
    switch (value) {
      case "true":
        if (!local) {
          throw wrong("anonymous", value, "false or auto when host is " + host.getHostAddress()
              + ", because the network could then publish anything; declare users instead");
        }
        return true;
      case "false":
        return false;
      case "auto":
        if (!local && users.isEmpty()) {
          throw wrong(".users", "", "at least one line NAME:PASSWORD when host is " + host.getHostAddress()
              + ", because the network reaches the broker; or host=127.0.0.1");
        }
        return local && users.isEmpty();
      default:
        throw wrong("anonymous", value, "auto, true or false");
    }
  }

  private static Map<String, String> users(String text) {
    Map<String, String> users = new LinkedHashMap<>();
    text.lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(line -> {
      int colon = line.indexOf(':');
      String name = colon < 0 ? line : line.substring(0, colon);
      if (colon < 0 || colon == line.length() - 1 || !USER.matcher(name).matches()) {
        throw wrong(".users", name + (colon < 0 ? "" : ":…"), "lines NAME:PASSWORD, the name without spaces and colons");
      }
      if (name.equals(GATEWAY_USER) || users.put(name, line.substring(colon + 1)) != null) {
        throw wrong(".users", name, "each name once, and not '" + GATEWAY_USER + "', which is the gateway's own");
      }
    });
    return users;
  }

  private static int inRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw wrong(key, value, min + ".." + max);
    }
    return value;
  }

  private static IllegalArgumentException wrong(String key, Object value, String allowed) {
    return new IllegalArgumentException(
        MosquittoBroker.PID + ": " + key + "=" + value + " is not allowed; allowed: " + allowed);
  }
}

package io.weir.gateway.mqtt.internal;

import java.util.Map;

/** MQTT 5 reason codes in words. */
final class Reasons {
  /** From here on they are refusals. */
  static final int REFUSED = 0x80;
  static final int RATE_TOO_HIGH = 0x96;
  static final int QUOTA_EXCEEDED = 0x97;

  private static final Map<Integer, String> TEXTS = Map.ofEntries(Map.entry(0x04, "disconnect with will"),
      Map.entry(0x80, "unspecified error"), Map.entry(0x81, "malformed packet"), Map.entry(0x82, "protocol error"),
      Map.entry(0x84, "it does not speak MQTT 5"), Map.entry(0x85, "client identifier not valid"),
      Map.entry(0x86, "wrong user name or password"), Map.entry(0x87, "not authorized"),
      Map.entry(0x88, "server unavailable"), Map.entry(0x89, "server busy"), Map.entry(0x8A, "banned"),
      Map.entry(0x8B, "server shutting down"), Map.entry(0x8D, "keep alive timeout"),
      Map.entry(0x8E, "session taken over by another client"), Map.entry(0x8F, "topic filter not valid"),
      Map.entry(0x90, "topic name not valid"), Map.entry(0x93, "receive maximum exceeded"),
      Map.entry(0x95, "packet too large"), Map.entry(RATE_TOO_HIGH, "message rate too high"), Map.entry(QUOTA_EXCEEDED, "quota exceeded"),
      Map.entry(0x9A, "retain not supported"), Map.entry(0x9B, "QoS not supported"),
      Map.entry(0xA2, "wildcard subscriptions not supported"));

  private Reasons() {}

  static String text(int code) {
    return String.format("%s (0x%02X)", TEXTS.getOrDefault(code, "reason code"), code);
  }
}

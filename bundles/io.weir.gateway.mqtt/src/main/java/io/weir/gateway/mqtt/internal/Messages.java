package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.Trigger;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.Payload;
import io.weir.invocation.StateAttempts;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.MqttPublish;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;
import org.jspecify.annotations.Nullable;

/** How an MQTT message becomes a request in CloudEvents binary mode, and an answer a message. */
final class Messages {
  static final String SOURCE = "/weir/mqtt";
  static final String TYPE = "io.weir.mqtt.message";
  /** Topics below are the gateway's own words; a sensor must not make it say them. */
  private static final String OWN_TOPICS = "weir/";

  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");
  private static final Set<String> EVENT_ATTRIBUTES =
      Set.of("specversion", "id", "source", "type", "subject", "time", "dataschema");
  private static final Set<String> REQUIRED_ATTRIBUTES = Set.of("specversion", "id", "source", "type");
  private static final Set<String> HOP_BY_HOP = Set.of("connection", "keep-alive", "proxy-authenticate",
      "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect", "host");
  private static final Set<String> NOT_ANSWERED = Set.of("date", "server");
  private static final int MAX_STRING_BYTES = 65_535;

  private static final Header OWN_VERSION = new Header("ce-specversion", "1.0");
  private static final Header OWN_SOURCE = new Header("ce-source", SOURCE);
  private static final Header OWN_TYPE = new Header("ce-type", TYPE);

  private Messages() {}

  /** The request that carries a message to a function. */
  static Invocation invocation(FunctionName function, Trigger.Mqtt trigger, MqttPublish message, Instant arrived) {
    MqttProperties properties = message.getProperties();
    List<Header> headers = new ArrayList<>();
    String id = properties.getUserProperties().isEmpty() ? own(message.getTopicName(), arrived, headers)
        : given(properties, message.getTopicName(), arrived, headers);
    String contentType = properties.getContentType();
    if (contentType != null && !contentType.isBlank()) {
      headers.add(new Header("Content-Type", encoded(contentType, false)));
    }
    return new Invocation(id, function, "mqtt", message.getTopicName(), "POST", trigger.path(), headers,
        Payload.of(message.getPayload()), arrived,
        trigger.qos() == 0 ? Guarantee.AT_MOST_ONCE : Guarantee.AT_LEAST_ONCE, false);
  }

  /** Most messages bring nothing but a payload. Returns the event's id. */
  private static String own(String topic, Instant arrived, List<Header> headers) {
    String id = EventIds.next();
    headers.add(OWN_VERSION);
    headers.add(new Header("ce-id", id));
    headers.add(OWN_SOURCE);
    headers.add(OWN_TYPE);
    headers.add(new Header("ce-subject", encoded(topic, true)));
    headers.add(new Header("ce-time", EventTime.text(arrived)));
    return id;
  }

  private static String given(MqttProperties properties, String topic, Instant arrived, List<Header> headers) {
    Map<String, String> event = event(properties, topic, arrived);
    event.forEach((name, value) -> headers.add(new Header("ce-" + name, encoded(value, true))));
    boolean isEvent = isEvent(properties);
    for (UserProperty property : properties.getUserProperties()) {
      String name = property.getKey().toLowerCase(Locale.ROOT);
      if (!(isEvent && EVENT_ATTRIBUTES.contains(name)) && mayBecomeHeader(name)) {
        headers.add(new Header(property.getKey(), encoded(property.getValue(), false)));
      }
    }
    return encoded(event.get("id"), true);
  }

  private static boolean mayBecomeHeader(String name) {
    return TOKEN.matcher(name).matches() && !HOP_BY_HOP.contains(name) && !name.startsWith("ce-")
        && !name.equals("content-length") && !name.equals("content-type")
        && !name.equalsIgnoreCase(StateAttempts.HEADER);   // the gateway's own word
  }

  /** The event's attributes: those the sender gave (CloudEvents MQTT binding, binary mode), or else our own. */
  private static Map<String, String> event(MqttProperties properties, String topic, Instant arrived) {
    Map<String, String> event = new java.util.LinkedHashMap<>();
    event.put("specversion", "1.0");
    event.put("id", EventIds.next());
    event.put("source", SOURCE);
    event.put("type", TYPE);
    event.put("subject", topic);
    event.put("time", EventTime.text(arrived));
    if (isEvent(properties)) {
      event.remove("subject");
      event.remove("time");
      properties.getUserProperties().stream()
          .filter(property -> EVENT_ATTRIBUTES.contains(property.getKey().toLowerCase(Locale.ROOT)))
          .forEach(property -> event.put(property.getKey().toLowerCase(Locale.ROOT), property.getValue()));
      event.putIfAbsent("subject", topic);
      event.putIfAbsent("time", EventTime.text(arrived));
    }
    return event;
  }

  /** What the sender calls the event, among all its events. */
  static Optional<String> givenId(MqttProperties properties) {
    if (properties.getUserProperties().isEmpty() || !isEvent(properties)) {
      return Optional.empty();
    }
    Map<String, String> found = new HashMap<>();
    properties.getUserProperties().forEach(property -> found.put(property.getKey(), property.getValue()));
    return Optional.of(found.get("source") + " " + found.get("id"));
  }

  private static boolean isEvent(MqttProperties properties) {
    Map<String, String> found = new HashMap<>();
    properties.getUserProperties().forEach(property -> found.put(property.getKey(), property.getValue()));
    return REQUIRED_ATTRIBUTES.stream().allMatch(name -> !found.getOrDefault(name, "").isEmpty());
  }

  /**
   * A value that any HTTP library sends as it is: characters outside printable ASCII as %XX of their UTF-8 bytes, and
   * for event attributes also space, quote and percent, as the CloudEvents HTTP binding wants it.
   */
  static String encoded(@Nullable String value, boolean attribute) {
    if (value != null && isPlain(value)) {
      return value;
    }
    StringBuilder text = new StringBuilder();
    for (byte b : String.valueOf(value).getBytes(StandardCharsets.UTF_8)) {
      boolean plain = b > 0x20 && b < 0x7F && !(attribute && (b == '"' || b == '%')) || b == ' ' && !attribute;
      if (plain) {
        text.append((char) b);
      } else {
        text.append(String.format("%%%02X", b & 0xFF));
      }
    }
    return attribute ? text.toString() : text.toString().strip();
  }

  /** Whether nothing in it needs another form anywhere. */
  private static boolean isPlain(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c <= ' ' || c >= 0x7F || c == '"' || c == '%') {
        return false;
      }
    }
    return true;
  }

  /** Where the sender wants its answer, if that is a topic it may name. */
  static Optional<String> responseTopic(MqttProperties properties) {
    return Optional.ofNullable(properties.getResponseTopic()).filter(topic -> isTopic(topic)
        && !topic.startsWith("$") && !topic.startsWith(OWN_TOPICS));
  }

  static boolean isTopic(String topic) {
    return !topic.isEmpty() && topic.indexOf('+') < 0 && topic.indexOf('#') < 0 && topic.indexOf('\0') < 0
        && topic.getBytes(StandardCharsets.UTF_8).length <= MAX_STRING_BYTES;
  }

  /** The properties of an answer: its content type and its headers, as far as they speak of the content. */
  static MqttProperties answer(List<Header> headers) {
    MqttProperties properties = new MqttProperties();
    List<UserProperty> user = new ArrayList<>();
    for (Header header : headers) {
      String name = header.name().toLowerCase(Locale.ROOT);
      if (name.equals("content-type")) {
        properties.setContentType(text(header.value()));
      } else if (!HOP_BY_HOP.contains(name) && !name.startsWith("content-") && !NOT_ANSWERED.contains(name)) {
        user.add(new UserProperty(text(header.name()), text(header.value())));
      }
    }
    properties.setUserProperties(user);
    return properties;
  }

  /** A text that MQTT allows: no control characters, no halves of characters, not too long. */
  static String text(String value) {
    StringBuilder text = new StringBuilder(Math.min(value.length(), MAX_STRING_BYTES / 4));
    value.codePoints().limit(MAX_STRING_BYTES / 4).forEach(c -> {
      boolean allowed = !Character.isISOControl(c) && !(c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)
          && (c & 0xFFFE) != 0xFFFE && !(c >= 0xFDD0 && c <= 0xFDEF);
      text.appendCodePoint(allowed ? c : ' ');
    });
    return text.toString();
  }
}

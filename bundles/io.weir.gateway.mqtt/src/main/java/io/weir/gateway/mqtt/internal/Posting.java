package io.weir.gateway.mqtt.internal;

import io.weir.invocation.Header;
import io.weir.invocation.InvocationJournal.Outgoing;
import io.weir.invocation.InvocationJournal.Output;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;

/**
 * A message that the journal keeps until the broker has it.
 *
 * @param number of the output; below 0 as long as the journal has not told it
 * @param event the number of the event it follows from
 * @param received whether the broker has it and only waits for its release
 * @param invocation the invocation it is the answer to
 */
record Posting(long number, long event, boolean received, String topic, byte[] payload, int qos, MqttProperties properties,
    String invocation) {
  static final String CHANNEL = "mqtt";
  private static final String QOS = "qos";
  private static final String INVOCATION = "invocation";
  private static final String CONTENT_TYPE = "content-type";
  private static final String CORRELATION = "correlation";
  private static final String USER = "user ";

  static List<Header> headers(int qos, MqttProperties properties, String invocation) {
    List<Header> headers = new ArrayList<>();
    headers.add(new Header(QOS, Integer.toString(qos)));
    headers.add(new Header(INVOCATION, invocation));
    if (properties.getContentType() != null) {
      headers.add(new Header(CONTENT_TYPE, properties.getContentType()));
    }
    if (properties.getCorrelationData() != null) {
      headers.add(new Header(CORRELATION, Base64.getEncoder().encodeToString(properties.getCorrelationData())));
    }
    properties.getUserProperties().forEach(property -> headers.add(new Header(USER + property.getKey(), property.getValue())));
    return headers;
  }

  static Posting of(Outgoing outgoing) {
    return of(outgoing.number(), outgoing.event(), outgoing.received(), outgoing.output());
  }

  /** One that is sent before the journal has it. */
  static Posting early(long event, Output output) {
    return of(-1, event, false, output);
  }

  boolean early() {
    return number < 0;
  }

  private static Posting of(long number, long event, boolean received, Output output) {
    int qos = 1;
    String invocation = "";
    MqttProperties properties = new MqttProperties();
    List<UserProperty> user = new ArrayList<>();
    for (Header header : output.headers()) {
      String value = header.value();
      switch (header.name()) {
        case QOS -> qos = Integer.parseInt(value);
        case INVOCATION -> invocation = value;
        case CONTENT_TYPE -> properties.setContentType(value);
        case CORRELATION -> properties.setCorrelationData(Base64.getDecoder().decode(value));
        default -> {
          if (header.name().startsWith(USER)) {
            user.add(new UserProperty(header.name().substring(USER.length()), value));
          }
        }
      }
    }
    properties.setUserProperties(user);
    return new Posting(number, event, received, output.target(), output.body(), qos, properties, invocation);
  }

  /** It is itself, whatever it holds. */
  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}

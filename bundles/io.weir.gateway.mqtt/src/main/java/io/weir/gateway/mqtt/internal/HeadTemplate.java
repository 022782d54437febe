package io.weir.gateway.mqtt.internal;

import io.weir.function.Trigger;
import io.weir.kernel.Adaptor.Head;
import java.net.InetSocketAddress;
import java.util.Optional;

/** The head of the request that the kernel makes of a message: what {@link Messages} makes of one without properties. */
final class HeadTemplate {
  private static final int MOST = 512;
  private static final int BLOCK = 64;
  private static final String END = "\r\n\r\n";
  private static final String LENGTH = "\r\nContent-Length: ";
  private static final String ID = "\r\nce-id: ";
  private static final String TIME = "\r\nce-time: ";

  private HeadTemplate() {}

  /** Empty if there is no room for it; then the gateway brings the messages of this topic. */
  static Optional<Head> of(Trigger.Mqtt trigger, InetSocketAddress function) {
    String host = function.getAddress().getHostAddress();
    StringBuilder text = new StringBuilder(MOST).append("POST ").append(trigger.path()).append(" HTTP/1.1\r\nHost: ")
        .append(host.indexOf(':') < 0 ? host : "[" + host + "]").append(':').append(function.getPort())
        .append(LENGTH).append("00000\r\nce-specversion: 1.0").append(ID).append("0000000000000000\r\nce-source: ")
        .append(Messages.SOURCE).append("\r\nce-type: ").append(Messages.TYPE).append("\r\nce-subject: ")
        .append(Messages.encoded(trigger.filter().value(), true)).append(TIME).append("0000-00-00T00:00:00.000Z");
    while ((text.length() + END.length()) % BLOCK != 0) {
      text.append(' ');   // blanks after a header's value mean nothing
    }
    text.append(END);
    return text.length() > MOST ? Optional.empty()
        : Optional.of(new Head(text.toString(), after(text, LENGTH), after(text, ID), after(text, TIME)));
  }

  private static int after(StringBuilder text, String name) {
    return text.indexOf(name) + name.length();
  }
}

package io.weir.gateway.mqtt.internal;

/** A message that the broker will not take, however often it is sent. */
final class PublishRefused extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PublishRefused(String message) {
    super(message);
  }
}

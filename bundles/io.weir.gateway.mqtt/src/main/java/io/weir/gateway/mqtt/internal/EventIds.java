package io.weir.gateway.mqtt.internal;

import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicLong;

/** Ids for messages that bring none: a random beginning for each start of the gateway, then a number. */
final class EventIds {
  private static final String BEGINNING = "m" + Long.toString(new SecureRandom().nextLong() & Long.MAX_VALUE, 36) + "-";
  private static final AtomicLong NUMBERS = new AtomicLong();

  private EventIds() {}

  static String next() {
    return BEGINNING + NUMBERS.incrementAndGet();
  }
}

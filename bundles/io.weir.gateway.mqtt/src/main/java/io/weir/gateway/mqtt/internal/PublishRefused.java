package io.weir.gateway.mqtt.internal;

/** A message that the broker does not take. */
final class PublishRefused extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean passing;

  PublishRefused(String message, boolean passing) {
    super(message);
    this.passing = passing;
  }

  /** Refused by the broker for this reason; some reasons pass. */
  static PublishRefused because(int reason) {
    return new PublishRefused("the broker refused it: " + Reasons.text(reason),
        reason == Reasons.QUOTA_EXCEEDED || reason == Reasons.RATE_TOO_HIGH);
  }

  /** Whether it is worth trying again. */
  boolean passing() {
    return passing;
  }
}

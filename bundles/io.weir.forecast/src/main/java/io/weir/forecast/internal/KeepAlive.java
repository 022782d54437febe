package io.weir.forecast.internal;

/**
 * The baseline of every platform: warm for a fixed time after the last arrival. AWS Lambda and Azure keep 10
 * to 20 minutes (Shahrad et al., Serverless in the Wild, USENIX ATC 2020, §2); zero is no prediction at all.
 */
final class KeepAlive implements Candidate {
  private final long keep;

  /** @param keep milliseconds */
  KeepAlive(long keep) {
    this.keep = keep;
  }

  @Override
  public boolean holds(long last, long until, float worth) {
    return until < last + keep;
  }

  @Override
  public boolean next(long last, long now, float worth, Span span) {
    span.unlessOver(now, last, last + keep, 0.5);
    return true;
  }
}

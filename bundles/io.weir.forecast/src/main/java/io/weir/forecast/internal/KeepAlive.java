package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;

/**
 * The baseline of every platform: warm for a fixed time after the last arrival. AWS Lambda and Azure keep 10 to 20 minutes
 * (Shahrad et al., Serverless in the Wild, USENIX ATC 2020, §2); zero is no prediction at all.
 */
final class KeepAlive implements Candidate {
  private final long keep;

  /** @param keep milliseconds */
  KeepAlive(long keep) {
    this.keep = keep;
  }

  @Override
  public void arrived(long at, long gap, float worth) {
    // nothing to learn
  }

  @Override
  public boolean next(long last, long now, float worth, Span span) {
    if (now < last + keep) {
      span.set(last, last + keep, 0.5);
    } else {
      span.never();
    }
    return true;
  }

  @Override
  public double expected(long last, long now, long horizon) {
    return -1;
  }

  @Override
  public void write(DataOutput out) {
    // no state
  }

  @Override
  public void read(DataInput in) {
    // no state
  }
}

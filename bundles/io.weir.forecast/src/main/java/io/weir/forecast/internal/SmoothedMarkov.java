package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * HotC's forecast (Suo et al., Tackling Cold Start of Serverless Applications by Efficient and Adaptive
 * Container Runtime Reusing, IEEE CLUSTER 2021): exponential smoothing for the level of demand, corrected by
 * a Markov chain over the states of the relative residual. The paper sizes a pool of containers with it; here
 * a function is one.
 *
 * <p>Parameters (ours, the paper's code has no predictor): smoothing 0.5; states of the residual below -50 %,
 * -10 %, 10 %, 50 % and above; transitions fade with 0.99.
 */
final class SmoothedMarkov extends Steps {
  private static final float SMOOTHING = 0.5f;
  private static final float FADE = 0.99f;
  private static final float[] BOUNDS = {-0.5f, -0.1f, 0.1f, 0.5f};
  private static final int STATES = BOUNDS.length + 1;

  private float level;
  private int state = STATES / 2;
  private final float[] transitions = new float[STATES * STATES];
  /** Mean residual of each state. */
  private final float[] centre = {-0.75f, -0.3f, 0, 0.3f, 1};

  private float aheadLevel;
  private int aheadState;

  @Override
  void closed(int arrivals) {
    float residual = residual(level, arrivals);
    int now = state(residual);
    for (int i = 0; i < STATES; i++) {
      transitions[state * STATES + i] *= FADE;
    }
    transitions[state * STATES + now]++;
    centre[now] += 0.1f * (residual - centre[now]);
    state = now;
    level += SMOOTHING * (arrivals - level);
  }

  private static float residual(float level, float arrivals) {
    return Math.max(-1, Math.min(4, (arrivals - level) / Math.max(1, level)));
  }

  private static int state(float residual) {
    int state = 0;
    while (state < BOUNDS.length && residual > BOUNDS[state]) {
      state++;
    }
    return state;
  }

  @Override
  void begin(int arrivals) {
    aheadState = state(residual(level, arrivals));
    aheadLevel = level + SMOOTHING * (arrivals - level);
  }

  @Override
  double peek() {
    float sum = 1;
    float expected = 0;
    for (int i = 0; i < STATES; i++) {
      sum += transitions[aheadState * STATES + i];
      expected += transitions[aheadState * STATES + i] * centre[i];
    }
    return aheadLevel + expected / sum * Math.max(1, aheadLevel);
  }

  @Override
  void advance() {
    aheadState = state(residual(aheadLevel, 0));
    aheadLevel -= SMOOTHING * aheadLevel;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    super.write(out);
    out.writeFloat(level);
    out.writeByte(state);
    State.write(out, transitions);
    State.write(out, centre);
  }

  @Override
  public void read(DataInput in) throws IOException {
    super.read(in);
    level = State.finite(in.readFloat());
    state = Math.floorMod(in.readByte(), STATES);
    State.readFinite(in, transitions);
    State.readNumbers(in, centre);
  }
}

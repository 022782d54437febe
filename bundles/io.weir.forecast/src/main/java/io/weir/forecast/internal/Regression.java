package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/**
 * Online linear regression on the counts of the last steps, the predictor of Mu (Mittal et al., Mu: An
 * Efficient, Fair and Responsive Serverless Framework for Resource-Constrained Edge Clouds, ACM SoCC 2021):
 * recursive least squares with forgetting.
 *
 * <p>Parameters: {@value #LAGS} steps and a constant; forgetting 0.99; counts up to {@value #MOST} per step.
 */
final class Regression extends Steps {
  private static final int LAGS = 4;
  private static final int SIZE = LAGS + 1;
  private static final float FORGETTING = 0.99f;
  private static final float UNSURE = 10;
  private static final float MOST = 1_000;

  private final float[] weights = new float[SIZE];
  /** Inverse of the correlation of the features. */
  private final float[] inverse = new float[SIZE * SIZE];
  /** Constant first, then the newest count. */
  private final float[] features = new float[SIZE];
  private final float[] ahead = new float[SIZE];
  private final float[] gain = new float[SIZE];

  Regression() {
    reset();
  }

  private void reset() {
    Arrays.fill(inverse, 0);
    Arrays.fill(weights, 0);
    for (int i = 0; i < SIZE; i++) {
      inverse[i * SIZE + i] = UNSURE;
    }
    weights[1] = 0.5f;
    features[0] = 1;
  }

  @Override
  void closed(int arrivals) {
    float value = Math.min(MOST, arrivals);
    float scale = FORGETTING;
    for (int i = 0; i < SIZE; i++) {
      gain[i] = 0;
      for (int j = 0; j < SIZE; j++) {
        gain[i] += inverse[i * SIZE + j] * features[j];
      }
      scale += features[i] * gain[i];
    }
    float error = value - dot(features);
    boolean sound = scale > 1e-6f && Float.isFinite(error);
    for (int i = 0; i < SIZE && sound; i++) {
      weights[i] += gain[i] / scale * error;
      for (int j = 0; j < SIZE; j++) {
        float of = (inverse[i * SIZE + j] - gain[i] * gain[j] / scale) / FORGETTING;
        inverse[i * SIZE + j] = of;
        sound &= Math.abs(of) < 1e4f;
      }
      sound &= Math.abs(weights[i]) < 1e4f;
    }
    if (!sound) {
      // Forgetting without news winds the inverse up; a fresh start forgets little that is of use.
      reset();
    }
    shift(features, value);
  }

  private float dot(float[] with) {
    float sum = 0;
    for (int i = 0; i < SIZE; i++) {
      sum += weights[i] * with[i];
    }
    return sum;
  }

  private static void shift(float[] of, float value) {
    System.arraycopy(of, 1, of, 2, LAGS - 1);
    of[1] = value;
  }

  @Override
  void begin(int arrivals) {
    System.arraycopy(features, 0, ahead, 0, SIZE);
    shift(ahead, Math.min(MOST, arrivals));
  }

  @Override
  double peek() {
    return dot(ahead);
  }

  @Override
  void advance() {
    shift(ahead, 0);
  }

  @Override
  public void write(DataOutput out) throws IOException {
    super.write(out);
    State.write(out, weights);
    State.write(out, inverse);
    State.write(out, features);
  }

  @Override
  public void read(DataInput in) throws IOException {
    super.read(in);
    State.readNumbers(in, weights);
    State.readNumbers(in, inverse);
    State.readNumbers(in, features);
  }
}

package io.weir.forecast.internal;

import java.io.IOException;

/** What is read from a file is not believed blindly. */
final class State {
  private State() {}

  /** @throws IOException if the value is no finite number of at least zero */
  static float finite(float value) throws IOException {
    if (!(value >= 0 && value < 1e15f)) {
      throw new IOException("no figure: " + value);
    }
    return value;
  }

  /** As {@link #finite}, of what is a sum of squares. */
  static float square(float value) throws IOException {
    if (!(value >= 0 && value < 1e35f)) {
      throw new IOException("no figure: " + value);
    }
    return value;
  }

  /** @throws IOException if the value is no finite number */
  static float number(float value) throws IOException {
    if (!(Math.abs(value) < 1e15f)) {
      throw new IOException("no figure: " + value);
    }
    return value;
  }
}

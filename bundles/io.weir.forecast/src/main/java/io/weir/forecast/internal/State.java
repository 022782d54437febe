package io.weir.forecast.internal;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** Figures in a file: what is read from one is not believed blindly. */
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

  static void write(DataOutput out, float... values) throws IOException {
    for (float value : values) {
      out.writeFloat(value);
    }
  }

  /** Reads as many as there is room for, each as {@link #finite}. */
  static void readFinite(DataInput in, float[] into) throws IOException {
    for (int i = 0; i < into.length; i++) {
      into[i] = finite(in.readFloat());
    }
  }

  /** Reads as many as there is room for, each as {@link #number}. */
  static void readNumbers(DataInput in, float[] into) throws IOException {
    for (int i = 0; i < into.length; i++) {
      into[i] = number(in.readFloat());
    }
  }
}

package io.weir.function;

import java.util.Locale;

/**
 * How warm a function is kept while nobody calls it. Each rung up answers sooner and holds more memory; what either
 * costs on this device is in {@code weir calibrate}.
 */
public enum Rung {
  /** Nothing but the image on disk. */
  IMAGE,
  /** A container that was created but holds no process and no memory. */
  CREATED,
  /** A container with its namespaces, cgroup and network, whose entrypoint is all that is missing. */
  ARMED,
  /** A process that listens but gets no CPU; its memory stays held. */
  FROZEN,
  /** A process that runs. */
  RUNNING;

  /** {@code ARMED} as {@code armed}, as people and programs write it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** @throws InvalidFunction if the text is no rung; {@code key} is where it was written */
  public static Rung of(String key, String text) {
    for (Rung rung : values()) {
      if (rung.label().equals(text)) {
        return rung;
      }
    }
    throw new InvalidFunction(key, text, "image, created, armed, frozen or running");
  }
}

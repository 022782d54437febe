package io.weir.event;

/**
 * A part of the gateway that operators know by name; registered as a service by whoever is it. The gateway is ready
 * when every part is. A part publishes {@link GatewayEvent.PartChanged} when its answer changes.
 */
public interface Part {
  /**
   * {@code engine}, {@code broker}, {@code mqtt}, {@code http} or {@code services}; {@code gateway} is all that must be
   * ready together.
   */
  String name();

  /** Whether it does its work now. Cheap, and safe on any thread. */
  boolean ready();

  /** What the operator should know now, in one line, for example {@code podman 5.4.2 with crun 1.21}. */
  String state();
}

package io.weir.event;

/** Who this gateway is towards container engines and brokers that it may share with others. */
public interface GatewayIdentity {
  /** Twelve lower-case hex digits, made at random at the first start and kept in {@code gateway.id} ever after. */
  String id();
}

package org.eclipse.kura.security.tamper.detection;

import java.util.Collections;
import java.util.Map;
import org.eclipse.kura.type.TypedValue;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Whether somebody tampered with something, and what is known of it.
 *
 * <p>Source: the public signatures of {@code TamperStatus} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class TamperStatus {
  private final boolean isDeviceTampered;
  private final Map<String, TypedValue<?>> properties;

  public TamperStatus(boolean isDeviceTampered, Map<String, TypedValue<?>> properties) {
    this.isDeviceTampered = isDeviceTampered;
    this.properties = properties != null ? Collections.unmodifiableMap(properties) : Collections.emptyMap();
  }

  public boolean isDeviceTampered() {
    return isDeviceTampered;
  }

  public Map<String, TypedValue<?>> getProperties() {
    return properties;
  }
}

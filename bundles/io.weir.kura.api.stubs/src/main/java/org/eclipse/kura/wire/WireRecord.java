package org.eclipse.kura.wire;

import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import org.eclipse.kura.type.TypedValue;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Named values.
 *
 * <p>Source: the public signatures of {@code WireRecord} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class WireRecord {
  private final Map<String, TypedValue<?>> properties;

  public WireRecord(Map<String, TypedValue<?>> properties) {
    this.properties = Collections.unmodifiableMap(Objects.requireNonNull(properties, "Properties cannot be null"));
  }

  public Map<String, TypedValue<?>> getProperties() {
    return properties;
  }
}

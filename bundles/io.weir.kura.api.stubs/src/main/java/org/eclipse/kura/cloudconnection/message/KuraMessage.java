package org.eclipse.kura.cloudconnection.message;

import java.util.HashMap;
import java.util.Map;
import org.eclipse.kura.message.KuraPayload;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A payload, and what there is to know of it.
 *
 * <p>Source: the public signatures of {@code KuraMessage} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class KuraMessage {
  private final Map<String, Object> properties;
  private final KuraPayload payload;

  public KuraMessage(KuraPayload payload) {
    this.properties = new HashMap<>();
    this.payload = payload;
  }

  public KuraMessage(KuraPayload payload, Map<String, Object> properties) {
    this.properties = new HashMap<>(properties);
    this.payload = payload;
  }

  public Map<String, Object> getProperties() {
    return properties;
  }

  public KuraPayload getPayload() {
    return payload;
  }
}

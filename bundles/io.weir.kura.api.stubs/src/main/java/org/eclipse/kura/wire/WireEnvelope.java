package org.eclipse.kura.wire;

import java.util.Collections;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import org.osgi.service.wireadmin.BasicEnvelope;

/**
 * A batch of records, and who sent it.
 *
 * <p>Source: the public signatures of {@code WireEnvelope} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class WireEnvelope extends BasicEnvelope {
  public WireEnvelope(String emitterPid, List<WireRecord> wireRecords) {
    super(Collections.unmodifiableList(wireRecords), emitterPid, "WIRES");
  }

  public String getEmitterPid() {
    return (String) getIdentification();
  }

  @SuppressWarnings("unchecked")
  public List<WireRecord> getRecords() {
    return (List<WireRecord>) getValue();
  }
}

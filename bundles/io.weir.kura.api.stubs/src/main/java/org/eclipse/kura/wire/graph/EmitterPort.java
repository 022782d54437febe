package org.eclipse.kura.wire.graph;

import org.eclipse.kura.wire.WireEnvelope;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Where a box sends.
 *
 * <p>Source: the public signatures of {@code EmitterPort} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface EmitterPort extends Port {
  void emit(WireEnvelope wireEnvelope);
}

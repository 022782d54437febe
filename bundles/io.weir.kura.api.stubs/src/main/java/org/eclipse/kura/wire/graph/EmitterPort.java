package org.eclipse.kura.wire.graph;

import org.eclipse.kura.wire.WireEnvelope;
import org.osgi.annotation.versioning.ProviderType;

/** Where a box sends. */
@ProviderType
public interface EmitterPort extends Port {
  void emit(WireEnvelope wireEnvelope);
}

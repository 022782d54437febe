package org.eclipse.kura.wire.graph;

import java.util.function.Consumer;
import org.eclipse.kura.wire.WireEnvelope;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Where a box receives.
 *
 * <p>Source: the public signatures of {@code ReceiverPort} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface ReceiverPort extends Port {
  void onWireReceive(Consumer<WireEnvelope> consumer);
}

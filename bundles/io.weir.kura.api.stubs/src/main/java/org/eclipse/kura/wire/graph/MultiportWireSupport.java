package org.eclipse.kura.wire.graph;

import java.util.List;
import org.eclipse.kura.wire.WireEnvelope;
import org.eclipse.kura.wire.WireRecord;
import org.eclipse.kura.wire.WireSupport;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What a box with several ports needs to be wired.
 *
 * <p>Source: the public signatures of {@code MultiportWireSupport} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface MultiportWireSupport extends WireSupport {
  List<EmitterPort> getEmitterPorts();

  List<ReceiverPort> getReceiverPorts();

  WireEnvelope createWireEnvelope(List<WireRecord> records);
}

package org.eclipse.kura.wire;

import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.service.wireadmin.Consumer;

/**
 * A box that receives.
 *
 * <p>Source: the public signatures of {@code WireReceiver} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ConsumerType
public interface WireReceiver extends WireComponent, Consumer {
  void onWireReceive(WireEnvelope wireEnvelope);
}

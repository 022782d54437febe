package org.eclipse.kura.wire;

import org.osgi.annotation.versioning.ProviderType;
import org.osgi.framework.ServiceReference;

/**
 * Makes what a box needs to be wired.
 *
 * <p>Source: the public signatures of {@code WireHelperService} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface WireHelperService {
  String getPid(WireComponent wireComponent);

  String getServicePid(String wireComponentPid);

  String getServicePid(WireComponent wireComponent);

  boolean isEmitter(String wireComponentPid);

  boolean isReceiver(String wireComponentPid);

  WireSupport newWireSupport(WireComponent wireComponent, ServiceReference<WireComponent> wireComponentRef);
}

package org.eclipse.kura.security.tamper.detection;

import org.eclipse.kura.KuraException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Knows whether somebody tampered with something.
 *
 * <p>Source: the public signatures of {@code TamperDetectionService} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface TamperDetectionService {
  String getDisplayName();

  TamperStatus getTamperStatus() throws KuraException;

  void resetTamperStatus() throws KuraException;
}

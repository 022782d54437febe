package org.eclipse.kura.security.tamper.detection;

import org.eclipse.kura.KuraException;
import org.osgi.annotation.versioning.ProviderType;

/** Knows whether somebody tampered with something. */
@ProviderType
public interface TamperDetectionService {
  String getDisplayName();

  TamperStatus getTamperStatus() throws KuraException;

  void resetTamperStatus() throws KuraException;
}

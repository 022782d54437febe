package org.eclipse.kura.watchdog;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Starts the gateway again if a critical component stops telling that it works.
 *
 * <p>Source: the public signatures of {@code WatchdogService} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface WatchdogService {
  @Deprecated
  void startWatchdog();

  @Deprecated
  void stopWatchdog();

  int getHardwareTimeout();

  @Deprecated
  void registerCriticalService(CriticalComponent criticalComponent);

  @Deprecated
  void unregisterCriticalService(CriticalComponent criticalComponent);

  void registerCriticalComponent(CriticalComponent criticalComponent);

  void unregisterCriticalComponent(CriticalComponent criticalComponent);

  List<CriticalComponent> getCriticalComponents();

  void checkin(CriticalComponent criticalComponent);
}

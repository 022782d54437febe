package org.eclipse.kura.watchdog;

import org.osgi.annotation.versioning.ConsumerType;

/** Something without which the gateway had better start again. */
@ConsumerType
public interface CriticalComponent {
  String getCriticalComponentName();

  int getCriticalComponentTimeout();
}

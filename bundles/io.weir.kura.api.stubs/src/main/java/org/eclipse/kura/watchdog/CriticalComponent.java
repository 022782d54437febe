package org.eclipse.kura.watchdog;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Something without which the gateway had better start again.
 *
 * <p>Source: the public signatures of {@code CriticalComponent} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ConsumerType
public interface CriticalComponent {
  String getCriticalComponentName();

  int getCriticalComponentTimeout();
}

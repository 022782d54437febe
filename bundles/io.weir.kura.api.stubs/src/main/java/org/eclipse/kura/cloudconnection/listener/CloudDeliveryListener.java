package org.eclipse.kura.cloudconnection.listener;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears what has arrived.
 *
 * <p>Source: the public signatures of {@code CloudDeliveryListener} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ConsumerType
public interface CloudDeliveryListener {
  void onMessageConfirmed(String messageId);
}

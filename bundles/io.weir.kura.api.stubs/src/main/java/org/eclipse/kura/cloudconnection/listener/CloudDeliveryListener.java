package org.eclipse.kura.cloudconnection.listener;

import org.osgi.annotation.versioning.ConsumerType;

/** Hears what has arrived. */
@ConsumerType
public interface CloudDeliveryListener {
  void onMessageConfirmed(String messageId);
}

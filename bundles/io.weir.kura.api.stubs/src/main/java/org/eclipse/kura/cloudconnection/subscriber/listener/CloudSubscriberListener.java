package org.eclipse.kura.cloudconnection.subscriber.listener;

import org.eclipse.kura.cloudconnection.message.KuraMessage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears of messages from a cloud.
 *
 * <p>Source: the public signatures of {@code CloudSubscriberListener} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ConsumerType
@FunctionalInterface
public interface CloudSubscriberListener {
  void onMessageArrived(KuraMessage message);
}

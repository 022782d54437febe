package org.eclipse.kura.cloudconnection.listener;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears of a connection to a cloud.
 *
 * <p>Source: the public signatures of {@code CloudConnectionListener} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ConsumerType
public interface CloudConnectionListener {
  void onDisconnected();

  void onConnectionLost();

  void onConnectionEstablished();
}

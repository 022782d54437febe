package org.eclipse.kura.cloudconnection.listener;

import org.osgi.annotation.versioning.ConsumerType;

/** Hears of a connection to a cloud. */
@ConsumerType
public interface CloudConnectionListener {
  void onDisconnected();

  void onConnectionLost();

  void onConnectionEstablished();
}

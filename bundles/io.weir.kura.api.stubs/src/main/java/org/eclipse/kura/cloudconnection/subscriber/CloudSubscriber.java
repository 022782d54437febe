package org.eclipse.kura.cloudconnection.subscriber;

import org.eclipse.kura.cloudconnection.listener.CloudConnectionListener;
import org.eclipse.kura.cloudconnection.subscriber.listener.CloudSubscriberListener;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Brings messages from a cloud.
 *
 * <p>Source: the public signatures of {@code CloudSubscriber} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface CloudSubscriber {
  void registerCloudSubscriberListener(CloudSubscriberListener listener);

  void unregisterCloudSubscriberListener(CloudSubscriberListener listener);

  void registerCloudConnectionListener(CloudConnectionListener cloudConnectionListener);

  void unregisterCloudConnectionListener(CloudConnectionListener cloudConnectionListener);
}

package org.eclipse.kura.cloudconnection.publisher;

import org.osgi.annotation.versioning.ProviderType;

/** Tells a cloud how a request goes on. */
@ProviderType
public interface CloudNotificationPublisher extends CloudPublisher {}

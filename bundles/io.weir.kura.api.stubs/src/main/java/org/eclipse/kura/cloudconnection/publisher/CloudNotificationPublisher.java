package org.eclipse.kura.cloudconnection.publisher;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Tells a cloud how a request goes on.
 *
 * <p>Source: the public signatures of {@code CloudNotificationPublisher} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface CloudNotificationPublisher extends CloudPublisher {}

package org.eclipse.kura.configuration;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Marks a service whose settings Kura keeps.
 *
 * <p>Source: the public signatures of {@code ConfigurableComponent} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ConsumerType
public interface ConfigurableComponent {}

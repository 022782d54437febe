package org.eclipse.kura.configuration;

import org.osgi.annotation.versioning.ConsumerType;

/** Marks a service whose settings Kura keeps. */
@ConsumerType
public interface ConfigurableComponent {}

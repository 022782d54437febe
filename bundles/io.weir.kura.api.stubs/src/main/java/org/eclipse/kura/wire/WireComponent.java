package org.eclipse.kura.wire;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A box in the graph of wires.
 *
 * <p>Source: the public signatures of {@code WireComponent} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface WireComponent {}

package org.eclipse.kura.wire;

import org.osgi.annotation.versioning.ProviderType;

/** A box in the graph of wires. */
@ProviderType
public interface WireComponent {}

package org.eclipse.kura.wire.graph;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import org.osgi.service.wireadmin.Wire;

/**
 * Where wires are plugged in.
 *
 * <p>Source: the public signatures of {@code Port} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface Port {
  List<Wire> listConnectedWires();
}

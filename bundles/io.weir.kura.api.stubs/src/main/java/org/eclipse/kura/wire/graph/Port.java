package org.eclipse.kura.wire.graph;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import org.osgi.service.wireadmin.Wire;

/** Where wires are plugged in. */
@ProviderType
public interface Port {
  List<Wire> listConnectedWires();
}

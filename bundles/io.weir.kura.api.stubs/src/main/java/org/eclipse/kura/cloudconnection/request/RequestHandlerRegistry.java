package org.eclipse.kura.cloudconnection.request;

import org.eclipse.kura.KuraException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Knows who answers requests.
 *
 * <p>Source: the public signatures of {@code RequestHandlerRegistry} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface RequestHandlerRegistry {
  void registerRequestHandler(String id, RequestHandler requestHandler) throws KuraException;

  void unregister(String id) throws KuraException;
}

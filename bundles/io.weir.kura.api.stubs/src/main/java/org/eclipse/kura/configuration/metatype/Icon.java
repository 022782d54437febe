package org.eclipse.kura.configuration.metatype;

import java.math.BigInteger;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A picture.
 *
 * <p>Source: the public signatures of {@code Icon} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface Icon {
  String getResource();

  BigInteger getSize();
}

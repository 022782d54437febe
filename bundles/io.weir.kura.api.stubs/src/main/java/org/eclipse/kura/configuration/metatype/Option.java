package org.eclipse.kura.configuration.metatype;

import org.osgi.annotation.versioning.ProviderType;

/**
 * One of several values to choose from.
 *
 * <p>Source: the public signatures of {@code Option} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface Option {
  String getLabel();

  String getValue();
}

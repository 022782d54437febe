package org.eclipse.kura.configuration.metatype;

import org.osgi.annotation.versioning.ProviderType;

/** One of several values to choose from. */
@ProviderType
public interface Option {
  String getLabel();

  String getValue();
}

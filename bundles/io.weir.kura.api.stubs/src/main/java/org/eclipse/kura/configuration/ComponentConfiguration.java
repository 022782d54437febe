package org.eclipse.kura.configuration;

import java.util.Map;
import org.eclipse.kura.configuration.metatype.OCD;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The settings of one component.
 *
 * <p>Source: the public signatures of {@code ComponentConfiguration} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface ComponentConfiguration {
  String getPid();

  OCD getDefinition();

  Map<String, Object> getConfigurationProperties();
}

package org.eclipse.kura.configuration.metatype;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What there is to set.
 *
 * <p>Source: the public signatures of {@code OCD} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface OCD {
  List<AD> getAD();

  List<Icon> getIcon();

  String getName();

  String getDescription();

  String getId();
}

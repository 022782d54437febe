package org.eclipse.kura.configuration.metatype;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One setting.
 *
 * <p>Source: the public signatures of {@code AD} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface AD {
  List<Option> getOption();

  String getName();

  String getDescription();

  String getId();

  Scalar getType();

  int getCardinality();

  String getMin();

  String getMax();

  String getDefault();

  boolean isRequired();
}

package org.eclipse.kura.type;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A value, and what type it is of.
 *
 * <p>Source: the public signatures of {@code TypedValue} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface TypedValue<T> extends Comparable<TypedValue<T>> {
  DataType getType();

  T getValue();
}

package org.eclipse.kura.type;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A value of type BOOLEAN.
 *
 * <p>Source: the public signatures of {@code BooleanValue} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class BooleanValue implements TypedValue<Boolean> {
  private final boolean value;

  public BooleanValue(boolean value) {
    this.value = value;
  }

  @Override
  public int compareTo(TypedValue<Boolean> otherTypedValue) {
    return Boolean.compare(value, otherTypedValue.getValue());
  }

  @Override
  public DataType getType() {
    return DataType.BOOLEAN;
  }

  @Override
  public Boolean getValue() {
    return value;
  }

  @Override
  public boolean equals(Object obj) {
    return obj instanceof BooleanValue other && value == other.value;
  }

  @Override
  public int hashCode() {
    return Boolean.hashCode(value);
  }

  @Override
  public String toString() {
    return "BooleanValue [value=" + value + "]";
  }
}

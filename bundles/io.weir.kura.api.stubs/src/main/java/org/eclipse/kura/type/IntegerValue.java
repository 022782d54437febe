package org.eclipse.kura.type;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A value of type INTEGER.
 *
 * <p>Source: the public signatures of {@code IntegerValue} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class IntegerValue implements TypedValue<Integer> {
  private final int value;

  public IntegerValue(int value) {
    this.value = value;
  }

  @Override
  public int compareTo(TypedValue<Integer> otherTypedValue) {
    return Integer.compare(value, otherTypedValue.getValue());
  }

  @Override
  public DataType getType() {
    return DataType.INTEGER;
  }

  @Override
  public Integer getValue() {
    return value;
  }

  @Override
  public boolean equals(Object obj) {
    return obj instanceof IntegerValue other && value == other.value;
  }

  @Override
  public int hashCode() {
    return value;
  }

  @Override
  public String toString() {
    return "IntegerValue [value=" + value + "]";
  }
}

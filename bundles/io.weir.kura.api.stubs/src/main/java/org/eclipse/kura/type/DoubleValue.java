package org.eclipse.kura.type;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A value of type DOUBLE.
 *
 * <p>Source: the public signatures of {@code DoubleValue} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class DoubleValue implements TypedValue<Double> {
  private final double value;

  public DoubleValue(double value) {
    this.value = value;
  }

  @Override
  public int compareTo(TypedValue<Double> otherTypedValue) {
    return Double.compare(value, otherTypedValue.getValue());
  }

  @Override
  public DataType getType() {
    return DataType.DOUBLE;
  }

  @Override
  public Double getValue() {
    return value;
  }

  @Override
  public boolean equals(Object obj) {
    return obj instanceof DoubleValue other && Double.compare(value, other.value) == 0;
  }

  @Override
  public int hashCode() {
    return Double.hashCode(value);
  }

  @Override
  public String toString() {
    return "DoubleValue [value=" + value + "]";
  }
}

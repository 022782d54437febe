package org.eclipse.kura.type;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A value of type FLOAT.
 *
 * <p>Source: the public signatures of {@code FloatValue} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class FloatValue implements TypedValue<Float> {
  private final float value;

  public FloatValue(float value) {
    this.value = value;
  }

  @Override
  public int compareTo(TypedValue<Float> otherTypedValue) {
    return Float.compare(value, otherTypedValue.getValue());
  }

  @Override
  public DataType getType() {
    return DataType.FLOAT;
  }

  @Override
  public Float getValue() {
    return value;
  }

  @Override
  public boolean equals(Object obj) {
    return obj instanceof FloatValue other && Float.compare(value, other.value) == 0;
  }

  @Override
  public int hashCode() {
    return Float.hashCode(value);
  }

  @Override
  public String toString() {
    return "FloatValue [value=" + value + "]";
  }
}

package org.eclipse.kura.type;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A value of type LONG.
 *
 * <p>Source: the public signatures of {@code LongValue} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class LongValue implements TypedValue<Long> {
  private final long value;

  public LongValue(long value) {
    this.value = value;
  }

  @Override
  public int compareTo(TypedValue<Long> otherTypedValue) {
    return Long.compare(value, otherTypedValue.getValue());
  }

  @Override
  public DataType getType() {
    return DataType.LONG;
  }

  @Override
  public Long getValue() {
    return value;
  }

  @Override
  public boolean equals(Object obj) {
    return obj instanceof LongValue other && value == other.value;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(value);
  }

  @Override
  public String toString() {
    return "LongValue [value=" + value + "]";
  }
}

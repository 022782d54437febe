package org.eclipse.kura.type;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A value of type STRING.
 *
 * <p>Source: the public signatures of {@code StringValue} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class StringValue implements TypedValue<String> {
  private final String value;

  public StringValue(String value) {
    this.value = value == null ? "" : value;
  }

  @Override
  public int compareTo(TypedValue<String> otherTypedValue) {
    return value.compareTo(otherTypedValue.getValue());
  }

  @Override
  public DataType getType() {
    return DataType.STRING;
  }

  @Override
  public String getValue() {
    return value;
  }

  @Override
  public boolean equals(Object obj) {
    return obj instanceof StringValue other && value.equals(other.value);
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  @Override
  public String toString() {
    return "StringValue [value=" + value + "]";
  }
}

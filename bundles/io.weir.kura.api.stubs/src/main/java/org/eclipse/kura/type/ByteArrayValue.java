package org.eclipse.kura.type;

import java.util.Arrays;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A value of type BYTE_ARRAY.
 *
 * <p>Source: the public signatures of {@code ByteArrayValue} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class ByteArrayValue implements TypedValue<byte[]> {
  private final byte[] value;

  public ByteArrayValue(byte[] value) {
    this.value = value;
  }

  @Override
  public int compareTo(TypedValue<byte[]> otherTypedValue) {
    return Arrays.compareUnsigned(value, otherTypedValue.getValue());
  }

  @Override
  public DataType getType() {
    return DataType.BYTE_ARRAY;
  }

  @Override
  public byte[] getValue() {
    return value;
  }

  @Override
  public boolean equals(Object obj) {
    return obj instanceof ByteArrayValue other && Arrays.equals(value, other.value);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(value);
  }

  @Override
  public String toString() {
    return "ByteArrayValue [value=" + Arrays.toString(value) + "]";
  }
}

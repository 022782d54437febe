package org.eclipse.kura.type;

import java.util.Base64;
import java.util.Objects;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Makes values with a type.
 *
 * <p>Source: the public signatures of {@code TypedValues} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public final class TypedValues {
  private TypedValues() {}

  public static BooleanValue newBooleanValue(boolean value) {
    return new BooleanValue(value);
  }

  public static ByteArrayValue newByteArrayValue(byte[] value) {
    return new ByteArrayValue(value);
  }

  public static FloatValue newFloatValue(float value) {
    return new FloatValue(value);
  }

  public static DoubleValue newDoubleValue(double value) {
    return new DoubleValue(value);
  }

  public static IntegerValue newIntegerValue(int value) {
    return new IntegerValue(value);
  }

  public static LongValue newLongValue(long value) {
    return new LongValue(value);
  }

  public static StringValue newStringValue(String value) {
    return new StringValue(value);
  }

  public static TypedValue<?> newTypedValue(Object value) {
    if (value instanceof Boolean it) {
      return newBooleanValue(it);
    } else if (value instanceof byte[] it) {
      return newByteArrayValue(it);
    } else if (value instanceof Float it) {
      return newFloatValue(it);
    } else if (value instanceof Double it) {
      return newDoubleValue(it);
    } else if (value instanceof Integer it) {
      return newIntegerValue(it);
    } else if (value instanceof Long it) {
      return newLongValue(it);
    } else if (value instanceof String it) {
      return newStringValue(it);
    }
    throw new IllegalArgumentException("Cannot convert to TypedValue");
  }

  public static TypedValue<?> parseTypedValue(DataType type, String value) {
    Objects.requireNonNull(value, "value cannot be null");
    return switch (type) {
      case BOOLEAN -> newBooleanValue(Boolean.parseBoolean(value));
      case BYTE_ARRAY -> newByteArrayValue(Base64.getDecoder().decode(value));
      case DOUBLE -> newDoubleValue(Double.parseDouble(value));
      case FLOAT -> newFloatValue(Float.parseFloat(value));
      case INTEGER -> newIntegerValue(Integer.parseInt(value));
      case LONG -> newLongValue(Long.parseLong(value));
      case STRING -> newStringValue(value);
    };
  }
}

package org.eclipse.kura.type;

/**
 * The type of a value.
 *
 * <p>Source: the public signatures of {@code DataType} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
public enum DataType {
  BOOLEAN, BYTE_ARRAY, DOUBLE, INTEGER, LONG, FLOAT, STRING;

  public static DataType getDataType(String stringDataType) {
    for (DataType type : values()) {
      if (type.name().equalsIgnoreCase(stringDataType)) {
        return type;
      }
    }
    throw new IllegalArgumentException("Cannot convert to DataType");
  }
}

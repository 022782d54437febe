package org.eclipse.kura.type;

/** The type of a value. */
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

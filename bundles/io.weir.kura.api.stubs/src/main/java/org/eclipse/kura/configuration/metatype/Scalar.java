package org.eclipse.kura.configuration.metatype;

/**
 * The type of a setting.
 *
 * <p>Source: the public signatures of {@code Scalar} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
public enum Scalar {
  STRING("String"), LONG("Long"), DOUBLE("Double"), FLOAT("Float"), INTEGER("Integer"), BYTE("Byte"), CHAR("Char"),
  BOOLEAN("Boolean"), SHORT("Short"), PASSWORD("Password");

  private final String value;

  Scalar(String value) {
    this.value = value;
  }

  public String value() {
    return value;
  }

  public static Scalar fromValue(String v) {
    for (Scalar scalar : values()) {
      if (scalar.value.equals(v) || scalar == CHAR && "character".equalsIgnoreCase(v)) {
        return scalar;
      }
    }
    throw new IllegalArgumentException(v);
  }
}

package org.eclipse.kura;

import java.util.Arrays;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Something of Kura failed.
 *
 * <p>Source: the public signatures of {@code KuraException} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class KuraException extends Exception {
  private static final long serialVersionUID = 7468633737373095296L;

  private final KuraErrorCode code;
  private final transient Object[] arguments;

  public KuraException(KuraErrorCode code) {
    this.code = code;
    this.arguments = new Object[0];
  }

  public KuraException(KuraErrorCode code, Object... arguments) {
    this.code = code;
    this.arguments = arguments;
  }

  public KuraException(KuraErrorCode code, Throwable cause, Object... arguments) {
    super(cause);
    this.code = code;
    this.arguments = arguments;
  }

  public static KuraException internalError(String message) {
    return new KuraException(KuraErrorCode.INTERNAL_ERROR, null, message);
  }

  public static KuraException internalError(Throwable cause) {
    return new KuraException(KuraErrorCode.INTERNAL_ERROR, cause, "");
  }

  public static KuraException internalError(Throwable cause, String message) {
    return new KuraException(KuraErrorCode.INTERNAL_ERROR, cause, message);
  }

  public KuraErrorCode getCode() {
    return code;
  }

  @Override
  public String getLocalizedMessage() {
    return getMessage();
  }

  @Override
  public String getMessage() {
    return code + " " + Arrays.toString(arguments);
  }
}

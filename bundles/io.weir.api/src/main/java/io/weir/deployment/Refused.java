package io.weir.deployment;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A package was not taken. Nothing of it was used; the message says why, and what to do. */
public final class Refused extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Why. */
  public enum Code {
    /** It is no package, was damaged on its way, or what is in it cannot be. */
    BAD_PACKAGE,
    /** It is larger than the gateway takes, or than there is room for. */
    PACKAGE_TOO_LARGE,
    /** It bears no signature, and must. */
    UNSIGNED,
    /** It bears no signature by anybody who is trusted. */
    UNTRUSTED,
    /** Its images are for another processor. */
    WRONG_ARCHITECTURE,
    /** Its functions collide with others, or ask for more than this gateway can give. */
    INVALID_DECLARATION,
    /** There is not enough room on the disk. */
    NO_SPACE,
    /** Another deployment is under way; ask again. */
    BUSY;

    /** {@code bad-package}. */
    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private final Code code;

  public Refused(Code code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  public Code code() {
    return code;
  }
}

package io.weir.weirpkg;

import org.jspecify.annotations.Nullable;

/** What is wrong with a package, in words for whoever made or sent it; nothing of such a package may be used. */
public final class PackageFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What kind of fault it is. */
  public enum Kind {
    /** It is no package, or it broke on its way. */
    MALFORMED,
    /** It is larger than this gateway takes. */
    TOO_LARGE,
    /** Nobody signed it, and somebody must have. */
    UNSIGNED,
    /** Somebody signed it whom this gateway does not trust, or it was changed since. */
    UNTRUSTED,
    /** The images in it are for another processor. */
    ARCHITECTURE
  }

  private final Kind kind;

  public PackageFault(Kind kind, String message) {
    this(kind, message, null);
  }

  public PackageFault(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  static PackageFault malformed(String message) {
    return new PackageFault(Kind.MALFORMED, message);
  }

  public Kind kind() {
    return kind;
  }
}

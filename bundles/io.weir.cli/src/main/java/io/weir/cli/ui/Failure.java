package io.weir.cli.ui;

import org.jspecify.annotations.Nullable;

/** Ends the command with an exit code and one message for its user: what failed, on what, what to do. */
public final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int exitCode;

  public Failure(int exitCode, String message) {
    this(exitCode, message, null);
  }

  public Failure(int exitCode, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  public int exitCode() {
    return exitCode;
  }

  /** The message; never null, unlike that of exceptions in general. */
  public String text() {
    return String.valueOf(getMessage());
  }
}

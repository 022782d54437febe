package io.weir.cli.ui;

/** How a command ended; part of the command line's contract, see docs/reference/cli.md. */
public final class ExitCode {
  public static final int OK = 0;
  /** It was tried and did not succeed. */
  public static final int FAILED = 1;
  /** The command line itself is wrong. */
  public static final int USAGE = 2;
  /** No gateway answers. */
  public static final int UNREACHABLE = 3;
  /** The gateway answered, and refused. */
  public static final int REFUSED = 4;
  /** This machine lacks a program or a permission. */
  public static final int MISSING = 5;

  private ExitCode() {}
}

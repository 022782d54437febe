package io.weir.function;

/** A text of functions that was refused as a whole; nothing was changed. */
public final class InvalidDeclaration extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Problem problem;

  public InvalidDeclaration(Problem problem, Throwable cause) {
    super(problem.line() > 0 ? problem.source() + ":" + problem.line() + ": " + problem.message()
        : problem.source() + ": " + problem.message(), cause);
    this.problem = problem;
  }

  /** What is wrong, and where. */
  public Problem problem() {
    return problem;
  }
}

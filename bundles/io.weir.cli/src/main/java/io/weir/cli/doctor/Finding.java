package io.weir.cli.doctor;

/**
 * One thing that was looked at.
 *
 * @param fix what to do about it; empty if all is well
 */
public record Finding(Level level, String subject, String text, String fix) {
  /** How much it matters. */
  public enum Level {
    OK,
    /** Weir runs, with less than it could do. */
    WARN,
    /** Weir cannot run. */
    FAIL
  }

  static Finding ok(String subject, String text) {
    return new Finding(Level.OK, subject, text, "");
  }

  static Finding warn(String subject, String text, String fix) {
    return new Finding(Level.WARN, subject, text, fix);
  }

  static Finding fail(String subject, String text, String fix) {
    return new Finding(Level.FAIL, subject, text, fix);
  }
}

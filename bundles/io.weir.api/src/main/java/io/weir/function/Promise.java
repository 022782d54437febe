package io.weir.function;

import java.time.Duration;
import java.util.Locale;

/**
 * What a trigger promises about its messages.
 *
 * @param level how often a message may take effect
 * @param order which messages wait for each other
 * @param retry how long a message is tried
 * @param urgency who goes first where messages of one function wait
 */
public record Promise(Level level, Order order, Retry retry, Urgency urgency) {

  /** The level, and otherwise what holds where nothing is written. */
  public Promise(Level level) {
    this(level, Order.TOPIC, Retry.DEFAULT, Urgency.NORMAL);
  }

  /** How often a message may take effect. */
  public enum Level {
    /** Nothing is kept, so nothing is done twice; what is on its way when something fails is lost. */
    AT_MOST_ONCE,
    /** Kept until it is done; done again when nobody can know whether it was. */
    AT_LEAST_ONCE,
    /** Kept until it is done; its outcome, what it sends and what it changes count once, together. */
    EXACTLY_ONCE;

    /** {@code AT_MOST_ONCE} as {@code at-most-once}. */
    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** @throws InvalidFunction if the text is no level */
    public static Level of(String text) {
      for (Level level : values()) {
        if (level.label().equals(text)) {
          return level;
        }
      }
      throw new InvalidFunction("delivery", text, "at-most-once, at-least-once or exactly-once");
    }

    /** What a trigger promises that only says how the broker sends. */
    public static Level of(int qos) {
      return qos == 0 ? AT_MOST_ONCE : AT_LEAST_ONCE;
    }

    /** How the broker must send where a trigger only says what it promises. */
    public int qos() {
      return ordinal();
    }
  }

  /**
   * Messages that have something in common are handled one after the other, in the order of their arrival.
   *
   * @param by what they have in common
   * @param property name of the user property; empty unless it is one
   */
  public record Order(By by, String property) {
    public static final Order TOPIC = new Order(By.TOPIC, "");
    public static final Order NONE = new Order(By.NONE, "");
    private static final String PROPERTY = "property:";

    /** What messages that wait for each other have in common. */
    public enum By { TOPIC, PROPERTY, NONE }

    /** {@code topic}, {@code property:NAME} or {@code none}. */
    public String label() {
      return by == By.PROPERTY ? PROPERTY + property : by.name().toLowerCase(Locale.ROOT);
    }

    /** @throws InvalidFunction if the text is no order */
    public static Order of(String text) {
      if (text.equals(TOPIC.label())) {
        return TOPIC;
      }
      if (text.equals(NONE.label())) {
        return NONE;
      }
      String name = text.startsWith(PROPERTY) ? text.substring(PROPERTY.length()) : "";
      if (name.isEmpty() || name.codePoints().anyMatch(Order::isBlank)) {
        throw new InvalidFunction("order", text, "topic, none, or property:NAME with the name of a user property");
      }
      return new Order(By.PROPERTY, name);
    }

    private static boolean isBlank(int character) {
      return Character.isWhitespace(character) || Character.isSpaceChar(character) || Character.isISOControl(character);
    }
  }

  /**
   * How long a message is tried before it is a dead letter.
   *
   * @param attempts calls that may fail, 1 to {@value #MAX_ATTEMPTS}
   * @param deadline from its arrival; after that no attempt but the first begins, 1 s to 30 days
   */
  public record Retry(int attempts, Duration deadline) {
    public static final int MAX_ATTEMPTS = 1000;
    public static final Retry DEFAULT = new Retry(6, Duration.ofHours(24));

    /** @throws InvalidFunction if a value is out of range */
    public Retry {
      if (attempts < 1 || attempts > MAX_ATTEMPTS) {
        throw new InvalidFunction("retry.attempts", attempts, "1.." + MAX_ATTEMPTS);
      }
      if (deadline.compareTo(Duration.ofSeconds(1)) < 0 || deadline.compareTo(Duration.ofDays(30)) > 0) {
        throw new InvalidFunction("retry.deadline", deadline, "1s..720h");
      }
    }
  }

  /**
   * Who goes first where messages of one function wait. Not to be confused with {@link Priority}, which is between
   * functions and about memory.
   */
  public enum Urgency {
    NORMAL,
    /** Before all others of the function, which get a small share all the same. */
    ALARM;

    /** {@code ALARM} as {@code alarm}. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** @throws InvalidFunction if the text is no urgency */
    public static Urgency of(String text) {
      for (Urgency urgency : values()) {
        if (urgency.label().equals(text)) {
          return urgency;
        }
      }
      throw new InvalidFunction("priority", text, "alarm or normal");
    }
  }
}

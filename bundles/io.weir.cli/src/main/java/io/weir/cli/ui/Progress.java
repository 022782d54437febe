package io.weir.cli.ui;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * How far something is: a bar that redraws itself on a terminal, otherwise a plain line at the start, every ten seconds
 * and at the end. Thread-safe. What ends within half a second is not shown on a terminal at all.
 */
public final class Progress implements AutoCloseable {
  private static final int WIDTH = 28;
  private static final long TTY_DELAY = 500_000_000L;
  private static final long TTY_PERIOD = 100_000_000L;
  private static final long PLAIN_PERIOD = 10_000_000_000L;

  private final PrintStream err;
  private final boolean tty;
  private final boolean silent;
  private final String what;
  private final String unit;
  private final LongSupplier ticker;
  private final long started;
  private long total;
  private long done;
  private String detail = "";
  private long drawnAt;
  private boolean drawn;
  private boolean closed;

  Progress(PrintStream err, boolean tty, String what, long total, String unit, LongSupplier ticker) {
    this(err, tty, false, what, total, unit, ticker);
  }

  private Progress(PrintStream err, boolean tty, boolean silent, String what, long total, String unit,
      LongSupplier ticker) {
    this.err = err;
    this.tty = tty;
    this.silent = silent;
    this.what = what;
    this.total = total;
    this.unit = unit;
    this.ticker = ticker;
    this.started = ticker.getAsLong();
    this.drawnAt = tty ? started + TTY_DELAY - TTY_PERIOD : started;
    if (!tty && !silent) {
      err.println(what + " …");
      err.flush();
    }
  }

  static Progress silent() {
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    return new Progress(nowhere, false, true, "", 0, "", () -> 0);
  }

  public synchronized void to(long value) {
    done = value;
    draw(false);
  }

  public synchronized void add(long more) {
    to(done + more);
  }

  public synchronized void total(long value) {
    total = value;
  }

  /** The latest word of what is being done, shown where no total is known. */
  public synchronized void say(String words) {
    detail = words;
    draw(false);
  }

  /** Ends the bar; on success with what it took. */
  public synchronized void done(String outcome) {
    if (closed || silent) {
      closed = true;
      return;
    }
    closed = true;
    double seconds = (ticker.getAsLong() - started) / 1e9;
    clear();
    if (!tty || drawn || !outcome.isEmpty()) {
      err.println(what + ": " + (outcome.isEmpty() ? "done" : outcome) + String.format(Locale.ROOT, " (%.1f s)", seconds));
      err.flush();
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      clear();
    }
  }

  private void clear() {
    if (drawn && tty) {
      err.print("\r\u001b[K");
      err.flush();
    }
  }

  private void draw(boolean force) {
    long now = ticker.getAsLong();
    if (silent || closed || (!force && now - drawnAt < (tty ? TTY_PERIOD : PLAIN_PERIOD))) {
      return;
    }
    drawnAt = now;
    drawn = true;
    String text = render(what, done, total, unit, detail, now - started);
    if (tty) {
      err.print("\r\u001b[K" + text);
    } else {
      err.println(text);
    }
    err.flush();
  }

  /** One line: a bar with rate and time left where the total is known, else the amount and the latest word. */
  static String render(String what, long done, long total, String unit, String detail, long nanos) {
    double seconds = nanos / 1e9;
    String tail = detail.isEmpty() ? "" : "  " + (detail.length() > 48 ? detail.substring(0, 47) + "…" : detail);
    if (total <= 0) {
      String amount = done > 0 ? "  " + amount(done, unit) : "";
      return String.format(Locale.ROOT, "%s %4.0f s%s%s", what, seconds, amount, tail);
    }
    double part = Math.min(1.0, (double) done / total);
    int full = (int) (part * WIDTH);
    String left = done > 0 && seconds > 1 && part < 1
        ? String.format(Locale.ROOT, "  %.0f s left", seconds * (total - done) / done) : "";
    return String.format(Locale.ROOT, "%s [%s%s] %3.0f %%  %s of %s%s%s", what, "#".repeat(full), ".".repeat(WIDTH - full),
        Math.floor(part * 100), amount(done, unit), amount(total, unit), left, tail);
  }

  /** A size for people. */
  public static String sized(long bytes) {
    return amount(bytes, "B");
  }

  static String amount(long value, String unit) {
    if (!unit.equals("B")) {
      return unit.isEmpty() ? Long.toString(value) : value + " " + unit;
    }
    return value < 1024 * 1024
        ? String.format(Locale.ROOT, "%.0f KiB", value / 1024.0)
        : String.format(Locale.ROOT, "%.1f MiB", value / 1024.0 / 1024.0);
  }
}

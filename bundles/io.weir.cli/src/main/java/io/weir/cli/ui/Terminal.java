package io.weir.cli.ui;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tools.jackson.jr.ob.JSON;

/** Where a command talks to: results on standard output, everything about their making on standard error. */
public final class Terminal {
  private final PrintStream out;
  private final PrintStream err;
  private final boolean json;
  private final boolean outColour;
  private final boolean errTty;

  public Terminal(PrintStream out, PrintStream err, boolean json, boolean outColour, boolean errTty) {
    this.out = out;
    this.err = err;
    this.json = json;
    this.outColour = outColour;
    this.errTty = errTty;
  }

  /** The process's own streams. {@code NO_COLOR} and {@code TERM=dumb} are respected. */
  public static Terminal ofProcess(PrintStream out, PrintStream err, boolean json) {
    boolean dumb = System.getenv("NO_COLOR") != null || "dumb".equals(System.getenv("TERM"));
    return new Terminal(out, err, json, !dumb && isTty(1), !"dumb".equals(System.getenv("TERM")) && isTty(2));
  }

  /** System.console() wants input and output to be terminals; each stream matters by itself here. */
  private static boolean isTty(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
    } catch (IOException e) {
      return false;
    }
  }

  public boolean json() {
    return json;
  }

  public synchronized void line(String text) {
    out.println(text);
    out.flush();
  }

  /** A result that is not for people's eyes, byte by byte. */
  public synchronized void bytes(byte[] bytes) {
    out.write(bytes, 0, bytes.length);
    out.flush();
  }

  /** A remark beside the result; silent with {@code --json}, whose standard error stays empty unless something fails. */
  public synchronized void note(String text) {
    if (!json) {
      err.println(text);
      err.flush();
    }
  }

  public synchronized void error(String text) {
    err.println(text);
    err.flush();
  }

  /** The machine-readable result. */
  public synchronized void result(Object value) {
    out.println(JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asString(value));
    out.flush();
  }

  /** One machine-readable record of a stream, on one line. */
  public synchronized void record(Object value) {
    out.println(JSON.std.asString(value));
    out.flush();
  }

  /** Either the machine-readable result or its rendering for people. */
  public void result(Map<String, ?> value, Runnable forPeople) {
    if (json) {
      result(value);
    } else {
      forPeople.run();
    }
  }

  public void table(List<String> header, List<List<String>> rows) {
    Table.render(header, rows).forEach(row -> line(outColour && row.heading() ? Colour.BOLD.paint(row.text()) : row.text()));
  }

  public String paint(Colour colour, String text) {
    return outColour ? colour.paint(text) : text;
  }

  /** A bar for something that may last longer than a second; total 0 if unknown. */
  public Progress progress(String what, long total, String unit) {
    return json ? Progress.silent() : new Progress(err, errTty, what, total, unit, System::nanoTime);
  }
}

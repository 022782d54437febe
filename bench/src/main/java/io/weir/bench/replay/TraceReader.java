package io.weir.bench.replay;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoField;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Reads traces in the forms in which they are published: Azure Functions 2021
 * ({@code app,func,end_timestamp,duration}), 2019 ({@code HashOwner,HashApp,HashFunction,Trigger,1…1440}),
 * series of measurements ({@code timestamp,value}), MERL ({@code sensor start stop}, milliseconds), CASAS
 * ({@code date time sensor state}), and {@code time,function[,duration]} in seconds. Lines that are torn or
 * out of order are refused with their number.
 */
public final class TraceReader {
  private static final DateTimeFormatter TIME = new DateTimeFormatterBuilder()
      .appendPattern("yyyy-MM-dd['T'][' ']HH:mm:ss")
      .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true).optionalStart().appendLiteral('Z').optionalEnd()
      .toFormatter(Locale.ROOT);
  private static final int USUAL_MILLIS = 50;
  /** Clocks of several machines that wrote a trace, and rounded durations, differ by as much. */
  private static final long DISORDER = 1_000;
  private static final int DAY_MINUTES = 1_440;

  private final Path file;
  private final Trace.Builder trace = new Trace.Builder();
  private final Random random;
  private int line;
  private long begin = Long.MAX_VALUE;
  private long end = Long.MIN_VALUE;
  private long newest = Long.MIN_VALUE / 2;

  private TraceReader(Path file, long seed) {
    this.file = file;
    this.random = new Random(seed);
  }

  /**
   * Reads a file.
   *
   * @param seed for what the trace does not tell, as the seconds of a minute
   * @throws IllegalArgumentException if a line is no call or out of order; the message has its number
   */
  public static Trace read(Path file, long seed) throws IOException {
    return new TraceReader(file, seed).read();
  }

  private interface Line {
    void take(String[] fields);
  }

  private Trace read() throws IOException {
    try (BufferedReader in = Files.newBufferedReader(file)) {
      String first = in.readLine();
      line = 1;
      if (first == null) {
        throw bad("the file is empty", null);
      }
      List<String> header = List.of(first.strip().toLowerCase(Locale.ROOT).split("\\s*,\\s*"));
      boolean commas = first.contains(",");
      Line taker = taker(header, first);
      int columns = commas ? header.size() : 0;
      String next = isHeader(header) ? in.readLine() : first;
      line = isHeader(header) ? 2 : 1;
      for (; next != null; next = in.readLine(), line++) {
        if (next.isBlank() || next.startsWith("#")) {
          continue;
        }
        String[] fields = commas ? next.split(",", -1) : next.strip().split("\\s+");
        if (commas && fields.length != columns) {
          throw bad("torn: " + fields.length + " fields instead of " + columns, null);
        }
        try {
          taker.take(fields);
        } catch (NumberFormatException | DateTimeParseException | ArrayIndexOutOfBoundsException e) {
          throw bad("torn: '" + abbreviated(next) + "'", e);
        }
      }
    }
    return trace.build(file.getFileName().toString(), begin, end);
  }

  private static boolean isHeader(List<String> fields) {
    return fields.stream()
        .anyMatch(field -> field.matches("[a-z_]*(time|timestamp|ts|at|hashfunction|sensor)"));
  }

  private Line taker(List<String> header, String first) {
    if (header.contains("end_timestamp")) {
      int end = header.indexOf("end_timestamp");
      int duration = header.indexOf("duration");
      int function = header.indexOf("func");
      return fields -> {
        double took = seconds(fields[duration]);
        call(millis(seconds(fields[end]) - took), fields[function], millis(took));
      };
    }
    if (header.contains("hashfunction")) {
      int function = header.indexOf("hashfunction");
      int trigger = header.indexOf("trigger");
      int minute = header.indexOf("1");
      return fields -> minutes(fields[function], fields[trigger].equals("timer"),
          Arrays.copyOfRange(fields, minute, fields.length));
    }
    if (first.contains(",")) {
      int time = column(header, "timestamp|time|ts|at|start|start_timestamp|arrival");
      int function = column(header, "function|func|name|topic|sensor|app");
      int duration = column(header, "duration|duration_s|took");
      if (time < 0 && isHeader(header)) {
        throw bad("no column says when", null);
      }
      if (time < 0) {
        return fields -> call(when(fields[0]), fields[1],
            fields.length > 2 ? millis(seconds(fields[2])) : USUAL_MILLIS);
      }
      return fields -> call(when(fields[time]), function < 0 ? "reading" : fields[function],
          duration < 0 ? USUAL_MILLIS : millis(seconds(fields[duration])));
    }
    if (first.strip().split("\\s+")[0].matches("\\d{4}-\\d\\d-\\d\\d")) {
      return fields -> {
        if (fields[3].matches("ON|OPEN|PRESENT|[\\d.]+")) {
          call(when(fields[0] + " " + fields[1]), fields[2], USUAL_MILLIS);
        }
      };
    }
    return fields -> {
      if (Long.parseLong(fields[2]) < Long.parseLong(fields[1])) {
        throw new NumberFormatException("it stops before it starts");
      }
      call(Long.parseLong(fields[1]), fields[0], USUAL_MILLIS);
    };
  }

  private static int column(List<String> header, String names) {
    for (int i = 0; i < header.size(); i++) {
      if (header.get(i).matches(names)) {
        return i;
      }
    }
    return -1;
  }

  private void minutes(String function, boolean timer, String[] counts) {
    if (counts.length != DAY_MINUTES) {
      throw bad("torn: " + counts.length + " minutes instead of " + DAY_MINUTES, null);
    }
    begin = 0;
    end = DAY_MINUTES * 60_000L;
    int second = random.nextInt(60_000);
    for (int minute = 0; minute < counts.length; minute++) {
      int calls = Integer.parseInt(counts[minute].strip());
      for (int i = 0; i < calls; i++) {
        // A timer comes at the same second of each minute, others at any.
        int within = timer ? (second + i * 60_000 / calls) % 60_000 : random.nextInt(60_000);
        trace.add(minute * 60_000L + within, name(function), USUAL_MILLIS);
      }
    }
  }

  private void call(long at, String function, long millis) {
    if (at < newest - DISORDER) {
      throw bad("out of order: it is " + (newest - at) / 1e3 + " s before a line above", null);
    }
    newest = Math.max(newest, at);
    trace.add(at, name(function), (int) Math.max(0, Math.min(millis, 86_400_000)));
  }

  /** What may be the name of a function of Weir. */
  private static String name(String raw) {
    String name = raw.strip().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    name = "f-" + (name.length() > 50 ? name.substring(0, 50) : name);
    return name.replaceAll("-+$", "");
  }

  private static double seconds(String text) {
    double value = Double.parseDouble(text.strip());
    if (!(Math.abs(value) < 1e11)) {
      throw new NumberFormatException("no time: " + text);
    }
    return value;
  }

  private static long millis(double seconds) {
    return Math.round(seconds * 1e3);
  }

  private static long when(String text) {
    String stripped = text.strip();
    return stripped.indexOf('-') > 0
        ? LocalDateTime.parse(stripped, TIME).toInstant(ZoneOffset.UTC).toEpochMilli()
        : millis(seconds(stripped));
  }

  private static String abbreviated(String text) {
    return text.length() > 60 ? text.substring(0, 60) + "…" : text;
  }

  private IllegalArgumentException bad(String what, Exception cause) {
    return new IllegalArgumentException(file.getFileName() + ", line " + line + ": " + what, cause);
  }
}

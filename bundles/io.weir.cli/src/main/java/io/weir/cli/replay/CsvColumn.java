package io.weir.cli.replay;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** One column of a CSV file (RFC 4180), with the time beside it where there is one; rows are read as they are asked for. */
public final class CsvColumn implements Iterator<CsvColumn.Row>, AutoCloseable {
  private static final List<String> TIMES = List.of("timestamp", "time", "date", "datetime");

  /** @param time as the file has it; empty if the file has no such column */
  public record Row(String value, String time) {}

  private final BufferedReader reader;
  private final String source;
  private final int column;
  private final OptionalInt time;
  private long line;
  private @Nullable List<String> next;

  /**
   * @param wanted name or number (from 1) of the column; null for the one named {@code value}, else the last
   * @throws IllegalArgumentException if there is no such column
   */
  CsvColumn(BufferedReader reader, String source, @Nullable String wanted) throws IOException {
    this.reader = reader;
    this.source = source;
    List<String> first = readRecord();
    if (first == null) {
      throw new IllegalArgumentException(source + " is empty");
    }
    boolean header = first.stream().noneMatch(CsvColumn::isNumber);
    List<String> names = header ? first.stream().map(name -> name.strip().toLowerCase(Locale.ROOT)).toList() : List.of();
    this.column = column(names, first.size(), wanted);
    int at = names.isEmpty() ? -1 : TIMES.stream().mapToInt(names::indexOf).filter(i -> i >= 0).findFirst().orElse(-1);
    this.time = at >= 0 && at != column ? OptionalInt.of(at) : OptionalInt.empty();
    this.next = header ? readRecord() : first;
  }

  private int column(List<String> names, int width, @Nullable String wanted) {
    if (wanted == null) {
      int value = names.indexOf("value");
      return value >= 0 ? value : width - 1;
    }
    int named = names.indexOf(wanted.strip().toLowerCase(Locale.ROOT));
    if (named >= 0) {
      return named;
    }
    if (wanted.matches("\\d{1,6}") && Integer.parseInt(wanted) >= 1 && Integer.parseInt(wanted) <= width) {
      return Integer.parseInt(wanted) - 1;
    }
    throw new IllegalArgumentException(source + " has no column '" + wanted + "'; it has "
        + (names.isEmpty() ? width + " columns without names" : String.join(", ", names)));
  }

  static boolean isNumber(String text) {
    return text.strip().matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");
  }

  @Override
  public boolean hasNext() {
    return next != null;
  }

  /** @throws IllegalArgumentException if the row is too short */
  @Override
  public Row next() {
    List<String> row = next;
    if (row == null) {
      throw new NoSuchElementException();
    }
    if (row.size() <= column) {
      throw new IllegalArgumentException(source + ":" + line + ": the row has only " + row.size() + " columns");
    }
    try {
      next = readRecord();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    int at = time.orElse(-1);
    return new Row(row.get(column).strip(), at >= 0 && at < row.size() ? row.get(at).strip() : "");
  }

  /** One record; quotes may hold commas, doubled quotes and line ends. Blank lines are skipped. Null at the end. */
  private @Nullable List<String> readRecord() throws IOException {
    String text = reader.readLine();
    line++;
    while (text != null && text.isBlank()) {
      text = reader.readLine();
      line++;
    }
    if (text == null) {
      return null;
    }
    if (line == 1 && text.startsWith("\uFEFF")) {
      text = text.substring(1);
    }
    List<String> cells = new ArrayList<>();
    StringBuilder cell = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; ; i++) {
      if (i == text.length()) {
        if (!quoted) {
          break;
        }
        String more = reader.readLine();
        line++;
        if (more == null) {
          throw new IllegalArgumentException(source + ":" + line + ": a quote is never closed");
        }
        text = text + "\n" + more;
      }
      char c = text.charAt(i);
      if (quoted && c == '"' && i + 1 < text.length() && text.charAt(i + 1) == '"') {
        cell.append('"');
        i++;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        cells.add(cell.toString());
        cell.setLength(0);
      } else {
        cell.append(c);
      }
    }
    cells.add(cell.toString());
    return cells;
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}

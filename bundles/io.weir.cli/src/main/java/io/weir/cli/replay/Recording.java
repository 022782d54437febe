package io.weir.cli.replay;

import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** A recorded column in a file; what is wrong with the file is told in terms of it. */
public final class Recording implements Iterator<CsvColumn.Row>, AutoCloseable {
  private final CsvColumn rows;
  private final Path file;

  private Recording(CsvColumn rows, Path file) {
    this.rows = rows;
    this.file = file;
  }

  public static Recording open(Path file, @Nullable String column) {
    try {
      return new Recording(new CsvColumn(Files.newBufferedReader(file), file.toString(), column), file);
    } catch (NoSuchFileException e) {
      throw new Failure(ExitCode.FAILED, "there is no file " + file, e);
    } catch (IOException e) {
      throw unreadable(file, e);
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
    }
  }

  /** How many rows it has; a row that cannot be used is told before the first message is sent. */
  public static long count(Path file, @Nullable String column) {
    try (Recording recording = open(file, column)) {
      long count = 0;
      while (recording.hasNext()) {
        recording.next();
        count++;
      }
      return count;
    }
  }

  @Override
  public boolean hasNext() {
    return rows.hasNext();
  }

  @Override
  public CsvColumn.Row next() {
    try {
      return rows.next();
    } catch (UncheckedIOException e) {
      throw unreadable(file, e.getCause());
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
    }
  }

  private static Failure unreadable(Path file, IOException e) {
    return new Failure(ExitCode.FAILED, "cannot read " + file + ": " + e.getMessage() + " (CSV in UTF-8 is expected)", e);
  }

  @Override
  public void close() {
    try {
      rows.close();
    } catch (IOException e) {
      // It was only read.
    }
  }
}

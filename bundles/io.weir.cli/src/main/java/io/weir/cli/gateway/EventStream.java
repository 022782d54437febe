package io.weir.cli.gateway;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/** Server-sent events, one after the other. Closing it from another thread ends the reader. */
public final class EventStream implements AutoCloseable {
  /** @param type {@code accepted}, {@code ended}, {@code retrying}, {@code published}, {@code instance}, … */
  public record Event(String type, Map<String, Object> data) {}

  private final InputStream stream;
  private final BufferedReader reader;

  public EventStream(InputStream stream) {
    this.stream = stream;
    this.reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
  }

  /** Waits for the next event; empty when the stream has ended, whoever ended it. */
  public Optional<Event> next() {
    String type = "message";
    StringBuilder data = new StringBuilder();
    try {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (line.isEmpty()) {
          if (data.length() > 0) {
            return Optional.of(new Event(type, Json.object(data.toString())));
          }
          type = "message";
        } else if (line.startsWith("event:")) {
          type = line.substring(6).strip();
        } else if (line.startsWith("data:")) {
          data.append(line.substring(5).strip());
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      return Optional.empty();
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    try {
      stream.close();
    } catch (IOException e) {
      // It is gone either way.
    }
  }
}

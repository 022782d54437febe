package io.weir.journal.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.function.FunctionName;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.InvocationJournal.Output;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.Payload;
import io.weir.invocation.StateChange;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Events, outcomes and settings to test with. */
final class Samples {
  static final FunctionName THERMO = new FunctionName("thermo");
  static final FunctionName DOOR = new FunctionName("door");

  private Samples() {}

  static Entry entry(FunctionName function, String key, String body) {
    return entry(function, key, body.getBytes(UTF_8));
  }

  static Entry entry(FunctionName function, String key, byte[] body) {
    Invocation invocation = new Invocation("id-" + key, function, "mqtt", "sensors/1", "POST", "/",
        List.of(new Header("ce-id", "id-" + key), new Header("Content-Type", "text/plain")), Payload.of(body),
        Instant.ofEpochSecond(1_700_000_000L, 123_456_789), Guarantee.AT_LEAST_ONCE, false);
    return new Entry(invocation, key.isEmpty() ? Optional.empty() : Optional.of(key), "sensors/1",
        List.of(new Header("response-topic", "answers/ä"), new Header("response-topic", "twice")));
  }

  static String body(Entry entry) {
    try {
      return new String(entry.invocation().body().open().readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static KeptOutcome outcome(String body) {
    return new KeptOutcome(200, List.of(new Header("Content-Type", "text/plain")), body.getBytes(UTF_8), "");
  }

  static Output output(String channel, String target, String body) {
    return new Output(channel, target, target, List.of(new Header("qos", "1")), body.getBytes(UTF_8));
  }

  static StateChange put(String key, String value) {
    return new StateChange.Put(key, value.getBytes(UTF_8), Optional.empty());
  }

  static String text(byte[] bytes) {
    return new String(bytes, UTF_8);
  }

  static Settings settings() {
    return settings(Path.of("nowhere"));
  }

  static Settings settings(Path folder) {
    return new Settings(folder, Duration.ofMillis(5), 1 << 20, 16, 4 << 20, Duration.ofHours(1), 1 << 20,
        Duration.ofHours(1), 1 << 20, 65_536);
  }
}

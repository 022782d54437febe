package io.weir.cli;

import io.weir.cli.gateway.EventStream;
import io.weir.cli.gateway.Gateway;
import io.weir.cli.demo.EventLines;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "events", description = "What happens in the gateway, as it happens, until Ctrl-C.")
final class EventsCommand extends Verb {
  @Option(names = "--recent", description = "first those that the gateway remembers")
  private boolean recent;

  @Option(names = "--function", paramLabel = "NAME", description = "only those of one function")
  private @Nullable String function;

  @Option(names = "--count", paramLabel = "N", description = "end after N events")
  private int count = Integer.MAX_VALUE;

  @Override
  public Integer call() {
    Gateway gateway = gateway();
    EventLines lines = new EventLines(terminal()::paint);
    try (EventStream events = gateway.events(recent)) {
      for (int shown = 0; shown < count;) {
        Optional<EventStream.Event> event = events.next();
        if (event.isEmpty()) {
          throw new Failure(ExitCode.UNREACHABLE, "the gateway at " + gateway.address() + " ended the stream");
        }
        if (function == null || function.equals(event.get().data().get("function"))) {
          show(lines, event.get());
          shown++;
        }
      }
    }
    return ExitCode.OK;
  }

  private void show(EventLines lines, EventStream.Event event) {
    if (terminal().json()) {
      Map<String, Object> record = new LinkedHashMap<>();
      record.put("event", event.type());
      record.putAll(event.data());
      terminal().record(record);
    } else {
      terminal().line(lines.line(event));
    }
  }
}

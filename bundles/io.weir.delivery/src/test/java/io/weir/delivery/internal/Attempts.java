package io.weir.delivery.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.StateAttempts;
import io.weir.invocation.StateChange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Attempts that change one key each, and count as long as the test says so. */
final class Attempts implements StateAttempts {
  final List<String> log = new ArrayList<>();
  boolean counts = true;
  private int last;

  @Override
  public Attempt begin(FunctionName function, String event) {
    String id = event + "-" + ++last;
    log.add("began " + id);
    return new Attempt() {
      @Override
      public String id() {
        return id;
      }

      @Override
      public Ending close() {
        log.add("closed " + id);
        return new Ending(counts, counts ? List.of(new StateChange.Put(id, new byte[0], Optional.empty())) : List.of(), "seen");
      }

      @Override
      public void drop() {
        log.add("dropped " + id);
      }

      @Override
      public void settled() {
        log.add("settled " + id);
      }
    };
  }
}

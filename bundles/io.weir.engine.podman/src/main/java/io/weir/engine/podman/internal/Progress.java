package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The lines of a build or pull: Podman answers 200 before it begins, so a failure is one of the lines. */
final class Progress implements Consumer<String> {
  private final String what;
  private final Consumer<String> listener;
  private Optional<String> error = Optional.empty();

  Progress(String what, Consumer<String> listener) {
    this.what = what;
    this.listener = listener;
  }

  @Override
  public void accept(String line) {
    Map<String, Object> json = Json.object(line);
    Json.nonEmpty(json, "stream").ifPresent(text -> text.lines().forEach(listener));
    Json.nonEmpty(json, "error").ifPresent(text -> error = Optional.of(text.strip()));
  }

  /** @throws EngineException if the work failed */
  boolean done() {
    if (error.isPresent()) {
      throw Failures.of(what, false, 200, error.get());
    }
    return true;
  }
}

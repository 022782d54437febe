package io.weir.gateway.http.internal;

import io.weir.function.FunctionListener;
import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Mounts the front door at the paths of HTTP triggers while there are such functions. The server then finds the
 * function by the longest path, as for any servlet; there is no second table of routes to keep in step.
 */
final class TriggerPaths implements FunctionListener {

  /** Mounts the front door at a path, for a function; running the result takes it away. */
  interface Mount {
    Runnable at(String path, FunctionName function);
  }

  private record Place(String path, FunctionName function) {}

  private final Mount mount;
  private final Map<Place, Runnable> mounted = new HashMap<>();

  TriggerPaths(Mount mount) {
    this.mount = mount;
  }

  @Override
  public void functionAdded(FunctionSpec function) {
    replace(Set.of(), places(function));
  }

  @Override
  public void functionChanged(FunctionSpec before, FunctionSpec after) {
    replace(places(before), places(after));
  }

  @Override
  public void functionRemoved(FunctionSpec function) {
    replace(places(function), Set.of());
  }

  synchronized int count() {
    return mounted.size();
  }

  synchronized void close() {
    mounted.values().forEach(Runnable::run);
    mounted.clear();
  }

  private synchronized void replace(Set<Place> before, Set<Place> after) {
    Set<Place> leaving = new HashSet<>(before);
    leaving.removeAll(after);
    leaving.forEach(place -> {
      Runnable unmount = mounted.remove(place);
      if (unmount != null) {
        unmount.run();
      }
    });
    after.forEach(place -> mounted.computeIfAbsent(place, it -> mount.at(it.path, it.function)));
  }

  private static Set<Place> places(FunctionSpec function) {
    return function.httpTriggers().map(Trigger.Http::path).map(path -> new Place(path, function.name()))
        .collect(Collectors.toSet());
  }
}

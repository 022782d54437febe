package io.weir.deploy.internal;

import io.weir.deployment.Deployment;
import io.weir.deployment.Deployment.State;
import io.weir.event.Events;
import io.weir.event.GatewayEvent.DeploymentChanged;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** The last few deployments, and how far they are. Thread-safe. */
final class Progress {
  private static final int MOST = 32;

  private final Events events;
  private final Clock clock;
  private final Deque<Deployment> recent = new ArrayDeque<>();

  Progress(Events events, Clock clock) {
    this.events = events;
    this.clock = clock;
  }

  Deployment begin(String id, Staged staged, String source, Optional<String> replaces) {
    Instant now = clock.instant();
    Deployment begun = new Deployment(id, staged.manifest().name(), staged.manifest().version(), source, staged.signer(),
        State.LOADING, "checked", 0, replaces, "", now, now);
    synchronized (this) {
      recent.addFirst(begun);
      if (recent.size() > MOST) {
        recent.removeLast();
      }
    }
    tell(begun, begun.step());
    return begun;
  }

  Deployment step(Deployment before, State state, String step, int percent) {
    return change(before, state, step, percent, "");
  }

  Deployment end(Deployment before, State state, String detail) {
    return change(before, state, state == State.INSTALLED ? "installed" : "rolled back", 100, detail);
  }

  private Deployment change(Deployment before, State state, String step, int percent, String detail) {
    Deployment after = new Deployment(before.id(), before.name(), before.version(), before.source(), before.signer(), state,
        step, percent, before.replaces(), detail, before.since(), clock.instant());
    synchronized (this) {
      recent.removeIf(each -> each.id().equals(before.id()));
      recent.addFirst(after);
    }
    tell(after, detail.isEmpty() ? step : detail);
    return after;
  }

  private void tell(Deployment now, String step) {
    events.publish(new DeploymentChanged(now.changed(), now.id(), now.name(), now.version(), now.state().label(), step,
        now.percent()));
  }

  synchronized Optional<Deployment> find(String id) {
    return recent.stream().filter(each -> each.id().equals(id)).findFirst();
  }

  synchronized List<Deployment> recent() {
    return List.copyOf(recent);
  }
}

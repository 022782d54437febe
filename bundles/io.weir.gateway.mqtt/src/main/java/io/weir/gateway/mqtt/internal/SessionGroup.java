package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One session for each function that has triggers of one kind, so that none waits for another. Thread-safe. */
final class SessionGroup {
  private static final Logger LOG = LoggerFactory.getLogger(SessionGroup.class);

  private final Context context;
  private final Function<FunctionName, Line> lines;
  private final Predicate<Trigger.Mqtt> kind;
  private final Runnable changed;
  private final TreeMap<FunctionName, FunctionSession> sessions = new TreeMap<>();  // guarded by itself

  /**
   * @param lines makes one for each session
   * @param kind tells which triggers they are for
   * @param changed called when sessions came, went, or are in another state
   */
  SessionGroup(Context context, Function<FunctionName, Line> lines, Predicate<Trigger.Mqtt> kind,
      Runnable changed) {
    this.context = context;
    this.lines = lines;
    this.kind = kind;
    this.changed = changed;
  }

  void declared(FunctionSpec function) {
    FunctionName name = function.name();
    // A session whose triggers became those of another kind may still have messages.
    if (function.mqttTriggers().anyMatch(kind)
        || function.mqttTriggers().findAny().isPresent() && !context.files().filters(name).isEmpty()) {
      want(name, function);
    } else {
      removed(name);
    }
  }

  void removed(FunctionName name) {
    synchronized (sessions) {
      FunctionSession session = sessions.get(name);
      if (session == null) {
        return;
      }
      session.want(null);
    }
    changed.run();
  }

  private void want(FunctionName name, FunctionSpec spec) {
    synchronized (sessions) {
      FunctionSession session = sessions.get(name);
      if (session == null) {
        begin(name, spec);
      } else {
        session.want(spec);
      }
    }
    changed.run();
  }

  private void begin(FunctionName name, FunctionSpec spec) {
    FunctionSession session = new FunctionSession(name, context, lines.apply(name), changed, this::ended);
    session.want(spec);
    sessions.put(name, session);
    session.begin();
  }

  private boolean ended(FunctionSession session) {
    synchronized (sessions) {
      if (!session.forgotten() || !sessions.remove(session.name(), session)) {
        return false;
      }
    }
    changed.run();
    return true;
  }

  /** Functions that were removed while the gateway was away have sessions that fill up for nobody. */
  void forgetOrphans() {
    for (FunctionName name : context.files().functions()) {
      synchronized (sessions) {
        if (!sessions.containsKey(name)) {
          LOG.info("{} is no function any more; the broker shall forget its session", name);
          begin(name, null);
        }
      }
    }
  }

  Optional<FunctionSession> find(FunctionName name) {
    synchronized (sessions) {
      return Optional.ofNullable(sessions.get(name));
    }
  }

  List<FunctionSession> all() {
    synchronized (sessions) {
      return List.copyOf(sessions.values());
    }
  }
}

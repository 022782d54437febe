package io.weir.runner.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.ContainerSpec;
import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.engine.LeaseRefused;
import io.weir.engine.Runners;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runner containers, from before they are created until the engine has forgotten them. Thread-safe; every call blocks. */
final class Containers {
  private static final Logger LOG = LoggerFactory.getLogger(Containers.class);
  private static final int LAST_WORDS = 5;
  private static final String MANAGED = "weir.managed";
  private static final String GATEWAY = "weir.gateway";

  private final ContainerEngine engine;
  private final RunnerImages images;
  private final Duration startTimeout;
  private final String gateway;
  private final SecureRandom random = new SecureRandom();
  /** Those that are being made, wait or are being removed: ids by name, empty until the engine has created it. */
  private final Map<String, String> ours = new ConcurrentHashMap<>();
  /** Names of those that somebody else removes. */
  private final Set<String> handedOut = ConcurrentHashMap.newKeySet();

  Containers(ContainerEngine engine, RunnerImages images, Duration startTimeout, String gateway) {
    this.engine = engine;
    this.images = images;
    this.startTimeout = startTimeout;
    this.gateway = gateway;
  }

  /**
   * Starts a runner and waits until it listens.
   *
   * @throws LeaseRefused if that fails; nothing is left of it then
   */
  RunnerContainer start(Shape shape) {
    try {
      String image = images.ensure(shape.language());
      try {
        return start(shape, image);
      } catch (EngineException e) {
        if (e.code() != EngineException.Code.NO_SUCH_IMAGE) {
          throw e;
        }
        images.forget(shape.language());
        return start(shape, images.ensure(shape.language()));
      }
    } catch (EngineException e) {
      throw refused(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LeaseRefused(LeaseRefused.Code.STOPPING, "the gateway is going down", Duration.ZERO, e);
    }
  }

  private RunnerContainer start(Shape shape, String image) throws InterruptedException {
    byte[] suffix = new byte[4];
    random.nextBytes(suffix);
    String language = shape.language().label();
    String name = "weir-runner-" + language + "-" + HexFormat.of().formatHex(suffix);
    ours.put(name, "");
    String id = "";
    boolean listens = false;
    try {
      id = engine.create(new ContainerSpec(name, image, shape.port(),
          Map.of(MANAGED, "true", GATEWAY, gateway, Runners.LABEL, language),
          Map.of("PORT", Integer.toString(shape.port())), shape.limits()));
      ours.put(name, id);
      String created = id;
      InetSocketAddress address = engine.start(id);
      if (!Listening.await(address, startTimeout, () -> requireRunning(created, shape))) {
        throw new LeaseRefused(LeaseRefused.Code.NEVER_LISTENED, "the " + shape + " does not listen after "
            + startTimeout.toSeconds() + " s; give it more cpus, or raise start.timeout.seconds of " + SparePool.PID
            + lastWords(id), Duration.ZERO, null);
      }
      listens = true;
      return new RunnerContainer(id, name, shape, image, address);
    } finally {
      if (!listens) {
        remove(id, name);
      }
    }
  }

  private void requireRunning(String id, Shape shape) {
    ContainerStatus status = engine.inspect(id);
    if (status.state() == ContainerStatus.State.EXITED || status.state() == ContainerStatus.State.STOPPED) {
      throw new LeaseRefused(LeaseRefused.Code.START_FAILED, "the " + shape + " " + ended(status, shape)
          + " before it listened" + lastWords(id), Duration.ZERO, null);
    }
  }

  private static String ended(ContainerStatus status, Shape shape) {
    return status.oomKilled()
        ? "was killed for using more than its memory limit of " + (shape.limits().memoryBytes() >> 20) + " MiB; raise memory,"
        : "ended with exit code " + status.exitCode();
  }

  /** How a runner ended that does not answer, as far as the engine knows. */
  String epitaph(RunnerContainer runner) {
    try {
      ContainerStatus status = engine.inspect(runner.id());
      return (status.state() == ContainerStatus.State.EXITED ? ended(status, runner.shape()) + " meanwhile" : "answers no more")
          + lastWords(runner.id());
    } catch (EngineException e) {
      LOG.debug("{} is gone", runner.name(), e);
      return "is gone";
    }
  }

  private String lastWords(String id) {
    try {
      List<String> words = engine.logs(id, LAST_WORDS);
      return words.isEmpty() ? "; it wrote nothing" : "; its last words: " + String.join(" | ", words);
    } catch (EngineException e) {
      LOG.debug("no log of {}", id, e);
      return "";
    }
  }

  /** From now on somebody else removes it. */
  void handOut(RunnerContainer runner) {
    handedOut.add(runner.name());
    ours.remove(runner.name());
  }

  void remove(RunnerContainer runner) {
    remove(runner.id(), runner.name());
  }

  /** Removes all that nobody else removes. */
  void removeOurs() {
    ours.forEach((name, id) -> remove(id, name));
  }

  /** What cannot be removed now is forgotten, so that the next sweep finds it. */
  private void remove(String id, String name) {
    try {
      if (!id.isEmpty()) {
        engine.remove(id);
      }
    } catch (EngineException e) {
      LOG.warn("{} could not be removed; the next sweep tries again: {}", name, e.getMessage());
    } finally {
      ours.remove(name);
    }
  }

  /** Removes runners of this gateway that nobody knows, and returns the names of those that are there and not dead. */
  Set<String> sweep() {
    Set<String> before = Set.copyOf(handedOut);
    Set<String> seen = new HashSet<>();
    Set<String> alive = new HashSet<>();
    for (ContainerStatus found : engine.list(Map.of(MANAGED, "true", GATEWAY, gateway))) {
      if (!found.labels().containsKey(Runners.LABEL)) {
        continue;
      }
      seen.add(found.name());
      if (!ours.containsKey(found.name()) && !handedOut.contains(found.name())) {
        LOG.info("removing leftover container {}", found.name());
        remove(found.id(), found.name());
      } else if (found.state() != ContainerStatus.State.EXITED && found.state() != ContainerStatus.State.STOPPED) {
        alive.add(found.name());
      }
    }
    handedOut.removeIf(name -> before.contains(name) && !seen.contains(name));
    return alive;
  }

  static LeaseRefused refused(EngineException e) {
    LeaseRefused.Code code = switch (e.code()) {
      case NO_SUCH_IMAGE -> LeaseRefused.Code.NO_SUCH_IMAGE;
      case UNAVAILABLE, TIMEOUT -> LeaseRefused.Code.ENGINE_UNAVAILABLE;
      default -> LeaseRefused.Code.START_FAILED;
    };
    return new LeaseRefused(code, e.getMessage(), Duration.ZERO, e);
  }
}

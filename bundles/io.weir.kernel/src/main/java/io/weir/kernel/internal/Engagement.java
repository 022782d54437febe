package io.weir.kernel.internal;

import io.weir.kernel.Adaptor;
import io.weir.kernel.Routes;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gets to the kernel as soon as the engine can say where functions live, and looks after what is there. */
final class Engagement {
  private static final Logger LOG = LoggerFactory.getLogger(Engagement.class);
  static final String WAITING = "waiting for the container engine to say where functions live; "
      + "it has nothing to say on hosts without cgroup v2, without root, or with a Podman of their own";
  private static final long LOOK_SECONDS = 3;
  /** The gateway is not ready before this is, so it is quick about it while the engine is coming up. */
  private static final long SOON_MILLIS = 25;
  private static final int SOON_LOOKS = 1200;
  /** The functions' cgroup may vanish just when programs are attached to it; a kernel that cannot, never can. */
  private static final int TRIES = 3;
  /** Functions are declared and containers are claimed within seconds of a start. */
  private static final long CLAIM_SECONDS = 30;
  private static final long CLOSE_SECONDS = 10;

  private final Place place;
  private final Settings settings;
  private final Features features;
  private final Supplier<Optional<Path>> functionsCgroup;
  private final Users users;
  private final ScheduledThreadPoolExecutor keeper;
  private @Nullable DataPlane plane;
  private @Nullable Ebpf ebpf;
  private @Nullable PinDirectory pins;
  private int failures;
  private int looks;
  private volatile boolean engaged;
  private volatile boolean hopeless;
  /** Set by the last that the keeper does, after which a look that was due would begin all over again. */
  private boolean over;

  /**
   * Where things are.
   *
   * @param data where files may be executed
   * @param run forgotten with the next boot, as the kernel's maps are
   * @param resources of the bundle
   * @param hash tells this gateway's things from those of others
   */
  record Place(Path data, Path run, String resources, String hash) {}

  /** Those who use what works. */
  interface Users {
    /** Whether the engine would say where functions live, if it knew. */
    boolean engineReady();

    /** {@link #decided} may have changed. */
    void changed();

    /** Requests are counted. Routes follow, because their programs take the kernel longest to check. */
    void counted(DataPlane plane);

    /** Connections are led to instances, too. */
    void routed(Routes routes);

    /** Messages can be brought to functions, too. */
    default void adapting(Adaptor adaptor) {}
  }

  Engagement(Place place, Settings settings, Features features, Supplier<Optional<Path>> functionsCgroup,
      Users users) {
    this.place = place;
    this.settings = settings;
    this.features = features;
    this.functionsCgroup = functionsCgroup;
    this.users = users;
    this.keeper = new ScheduledThreadPoolExecutor(1, task -> {
      Thread thread = new Thread(task, "weir-kernel-keeper");
      thread.setDaemon(true);
      return thread;
    });
    keeper.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  void start() {
    keeper.execute(this::lookAgain);
  }

  /** Whether requests are counted, or will not be before something changes. */
  boolean decided() {
    return engaged || hopeless || users.engineReady() && functionsCgroup.get().isEmpty();
  }

  private void lookAgain() {
    if (over) {
      return;
    }
    look();
    users.changed();
    boolean soon = !decided() && ++looks < SOON_LOOKS;
    if (!keeper.isShutdown()) {
      keeper.schedule(this::lookAgain, soon ? SOON_MILLIS : LOOK_SECONDS * 1000, TimeUnit.MILLISECONDS);
    }
  }

  private void look() {
    try {
      if (plane != null) {
        plane.look(functionsCgroup.get());
      } else if (!hopeless) {
        engage();
      }
    } catch (RuntimeException | LinkageError e) {
      if (plane != null) {
        LOG.warn("looking after what is in the kernel failed: {}", e.getMessage(), e);
        return;
      }
      hopeless = e instanceof LinkageError || ++failures >= TRIES;
      LOG.debug("the kernel does nothing for the gateway yet", e);
      if (hopeless) {
        LOG.warn("the kernel does nothing for the gateway, which does it itself: {}", e.getMessage(), e);
        offIfNotSaid(String.valueOf(e.getMessage()));
        release();
      }
    }
  }

  private void offIfNotSaid(String why) {
    features.features().stream().filter(feature -> feature.why().equals(WAITING) || feature.active() && plane == null)
        .forEach(feature -> features.off(feature.name(), why));
  }

  private void engage() {
    NativeFiles files = new NativeFiles(place.data(), place.resources());
    if (ebpf == null) {
      ebpf = files.open();
    }
    Optional<Path> cgroup = functionsCgroup.get();
    if (cgroup.isEmpty()) {
      return;
    }
    if (pins == null) {
      pins = new PinDirectory(ebpf, place.run(), "weir-" + place.hash());
    }
    plane = open(ebpf, files, pins, cgroup.get());
    plane.forgetDead();
    users.counted(plane);
    engaged = true;
    users.changed();
    route(plane);
    adapt(plane);
    keeper.schedule(this::forgetUnclaimed, CLAIM_SECONDS, TimeUnit.SECONDS);
  }

  private void forgetUnclaimed() {
    if (plane != null && !over) {
      plane.forgetUnclaimed();
    }
  }

  private void route(DataPlane counting) {
    try {
      counting.route(settings.way(), place.hash()).ifPresent(users::routed);
    } catch (RuntimeException e) {
      LOG.warn("the kernel leads no connections to instances, the gateway does: {}", e.getMessage(), e);
      offIfNotSaid(String.valueOf(e.getMessage()));
    }
  }

  private void adapt(DataPlane counting) {
    try {
      counting.adapt().ifPresent(users::adapting);
    } catch (RuntimeException e) {
      LOG.warn("the kernel brings no messages to functions, the gateway does: {}", e.getMessage(), e);
      features.off(Features.ADAPT, String.valueOf(e.getMessage()));
    }
  }

  private DataPlane open(Ebpf library, NativeFiles files, PinDirectory directory, Path cgroup) {
    FunctionIndex functions = index();
    if (functions.fresh()) {
      directory.clear();
      if (functions.existed()) {
        NftWay.removeTables(place.hash());
      }
    }
    try {
      return new DataPlane(library, files, directory, functions, features, settings.shortcut(), cgroup);
    } catch (Programs.Incompatible e) {
      LOG.info("what an earlier version of the gateway left in the kernel is replaced: {}", e.getMessage());
      directory.clear();
      functions.remove();
      return new DataPlane(library, files, directory, index(), features, settings.shortcut(), cgroup);
    }
  }

  private FunctionIndex index() {
    return new FunctionIndex(place.run().resolve("kernel").resolve("functions"), settings.way());
  }

  private void release() {
    if (pins != null) {
      pins.remove();
      pins = null;
    }
  }

  /** Takes everything off. */
  void close() {
    end(() -> {
      if (plane != null) {
        plane.close();
        plane = null;
      }
      release();
    });
  }

  /** As if the gateway had been killed, for tests. */
  void abandon() {
    end(() -> {
      if (plane != null) {
        plane.abandon();
      }
    });
  }

  private void end(Runnable last) {
    try {
      keeper.submit(() -> {
        over = true;
        last.run();
      }).get(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException | ExecutionException e) {
      LOG.warn("something of {} is left in the kernel; the next start takes it up", place.hash(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      keeper.shutdown();
    }
  }
}

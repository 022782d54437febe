package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The Podman service that writes images while the main one only reads them: started when there is something to write,
 * ended when there was nothing for a while. The only writer of its store. Thread-safe.
 */
final class ImageService implements AutoCloseable {
  private static final Duration STARTS_WITHIN = Duration.ofSeconds(20);
  private static final Duration IDLE = Duration.ofSeconds(30);

  /** A service that runs or is about to. */
  private record Running(ServiceProcess process, Libpod libpod, Presence<Libpod> presence) {
    private void close() {
      presence.close();
      libpod.close();
      process.close();
    }
  }

  private final ServiceProcess.Home home;
  private final Settings settings;
  private final ServiceProcess.Configuring configuring;
  private final Duration idle;
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
    Thread thread = new Thread(task, "weir-engine-images");
    thread.setDaemon(true);
    return thread;
  });

  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable Running running;
  private int users;
  private @Nullable Future<?> end;
  private boolean closed;

  ImageService(ServiceProcess.Home home, Settings settings, ServiceProcess.Configuring configuring) {
    this(home, settings, configuring, IDLE);
  }

  /** @param idle how long it stays without work */
  ImageService(ServiceProcess.Home home, Settings settings, ServiceProcess.Configuring configuring, Duration idle) {
    this.home = home;
    this.settings = settings;
    this.configuring = configuring;
    this.idle = idle;
  }

  /** Does image work, which keeps the service running. */
  <T> T use(String what, Function<Libpod, T> work) {
    Running service = enter(what);
    try {
      return work.apply(service.presence().await(what, STARTS_WITHIN));
    } finally {
      leave();
    }
  }

  /** Pid of the service; 0 if it does not run. */
  long pid() {
    lock.lock();
    try {
      return running == null ? 0 : running.process().pid();
    } finally {
      lock.unlock();
    }
  }

  private Running enter(String what) {
    lock.lock();
    try {
      if (closed) {
        throw new EngineException(Code.UNAVAILABLE, what + " failed: the gateway is stopping");
      }
      Running service = running == null ? start() : running;
      running = service;
      users++;
      if (end != null) {
        end.cancel(false);
      }
      return service;
    } finally {
      lock.unlock();
    }
  }

  private Running start() {
    Libpod libpod = new Libpod(home.socket());
    Presence<Libpod> presence = new Presence<>(libpod, there -> there, there -> "there", state -> {}, STARTS_WITHIN);
    ServiceProcess process = new ServiceProcess("podman-images", home, settings, configuring, presence::hopeless);
    presence.start();
    return new Running(process, libpod, presence);
  }

  private void leave() {
    lock.lock();
    try {
      users--;
      if (users == 0 && !closed) {
        end = timer.schedule(this::endIfIdle, idle.toMillis(), TimeUnit.MILLISECONDS);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Work that comes meanwhile waits at the lock, so that no second service starts beside one that is ending. */
  private void endIfIdle() {
    lock.lock();
    try {
      if (users == 0) {
        end();
      }
    } finally {
      lock.unlock();
    }
  }

  private void end() {
    if (running != null) {
      running.close();
      running = null;
    }
  }

  /** Ends the service; work in progress fails. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      timer.shutdownNow();
      end();
    } finally {
      lock.unlock();
    }
  }
}

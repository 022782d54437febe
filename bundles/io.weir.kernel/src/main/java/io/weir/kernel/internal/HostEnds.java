package io.weir.kernel.internal;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host's ends of instances' veth pairs, each with the program that leads answers out. The kernel takes milliseconds to
 * put it there and to take it off, which is nothing for those who start and stop instances: a thread of its own does it,
 * and an interface keeps the program for a while, because the engine gives it to another instance. Thread-safe.
 */
final class HostEnds {
  private static final Logger LOG = LoggerFactory.getLogger(HostEnds.class);
  private static final long LINGER_SECONDS = 10;
  private static final long CLOSE_SECONDS = 5;

  private final Hook hook;
  private final Once once;
  private final IntConsumer ready;
  private final ScheduledThreadPoolExecutor worker;
  private final Set<Integer> wanted = new HashSet<>();
  private final Set<Integer> attached = new HashSet<>();

  /** @param ready told, without a lock held, of each interface from which answers are led out from now on */
  HostEnds(Hook hook, Once once, IntConsumer ready) {
    this.hook = hook;
    this.once = once;
    this.ready = ready;
    this.worker = new ScheduledThreadPoolExecutor(1, task -> {
      Thread thread = new Thread(task, "weir-kernel-veths");
      thread.setDaemon(true);
      return thread;
    });
    worker.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    worker.setKeepAliveTime(2 * LINGER_SECONDS, TimeUnit.SECONDS);
    worker.allowCoreThreadTimeOut(true);
  }

  /**
   * An instance is behind it.
   *
   * @return whether the program is there already; else {@code ready} will be told
   */
  synchronized boolean arrived(int ifindex) {
    wanted.add(ifindex);
    if (attached.contains(ifindex)) {
      return true;
    }
    later(() -> attach(ifindex), 0);
    return false;
  }

  /** No instance is behind it any more. */
  synchronized void left(int ifindex) {
    if (wanted.remove(ifindex)) {
      later(() -> detachUnwanted(ifindex), LINGER_SECONDS);
    }
  }

  private void later(Runnable task, long seconds) {
    try {
      worker.schedule(task, seconds, TimeUnit.SECONDS);
    } catch (RejectedExecutionException e) {
      LOG.trace("closed", e);
    }
  }

  private synchronized boolean lacks(int ifindex) {
    return wanted.contains(ifindex) && !attached.contains(ifindex);
  }

  private void attach(int ifindex) {
    if (!lacks(ifindex)) {
      return;
    }
    try {
      hook.attach(ifindex);
    } catch (KernelError e) {
      // An instance that is gone by now has taken its interface along.
      if (lacks(ifindex)) {
        once.tell("clients of some instances are served through the gateway", e);
      }
      return;
    }
    synchronized (this) {
      attached.add(ifindex);
    }
    ready.accept(ifindex);
  }

  private void detachUnwanted(int ifindex) {
    synchronized (this) {
      if (wanted.contains(ifindex)) {
        return;
      }
      attached.remove(ifindex);
    }
    hook.detach(ifindex);
  }

  /** Tries again where it failed. */
  synchronized void look() {
    wanted.stream().filter(this::lacks).forEach(ifindex -> later(() -> attach(ifindex), 0));
  }

  /** Links of an earlier life whose interfaces nobody uses any more. */
  void forgetUnclaimed() {
    later(() -> hook.pinned().forEach(this::detachUnwanted), 0);
  }

  void close() {
    worker.shutdownNow();
    try {
      if (!worker.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("the kernel takes long to attach a program; it may be left until the next start");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    hook.pinned().forEach(hook::detach);
    synchronized (this) {
      attached.forEach(hook::detach);
      attached.clear();
    }
  }
}

package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.kernel.Adaptor;
import io.weir.kernel.Adaptor.Place;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens lanes to an instance when there is one, and closes them when something is not as it should be. A message whose
 * answer was no receipt comes again by a new connection; after that the gateway brings the messages for a while.
 *
 * <p>One thread does it; the monitor guards what others tell it.
 */
final class FastWay implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(FastWay.class);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);
  private static final Duration LOOK = Duration.ofSeconds(10);
  private static final Duration QUIESCE = Duration.ofSeconds(1);
  private static final long SOON_MILLIS = 1;
  /** Lanes that brought so many messages were well. */
  private static final int WELL = 1_000;

  private final FunctionName name;
  private final Supplier<Optional<Adaptor>> adaptor;
  private final Selector selector;
  private final Thread thread;
  private volatile Runnable renew = () -> {};

  private @Nullable FunctionSpec spec;
  private @Nullable FastGate gate;
  /** Whether lanes may be worth opening. */
  private boolean wanted;
  /** Whether those that are open have to be closed. */
  private boolean leaving;
  private boolean stopping;
  private boolean closed;

  // Of the thread.
  private final Backoff backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);
  private @Nullable Lanes lanes;
  private @Nullable FastGate lanesGate;
  private boolean draining;
  private boolean looked;
  private long drainUntil;
  private long notBefore = System.nanoTime();
  private long nextLook;
  private boolean told;

  FastWay(FunctionName name, Supplier<Optional<Adaptor>> adaptor) {
    this.name = name;
    this.adaptor = adaptor;
    try {
      this.selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot wait for connections", e);
    }
    this.thread = new Thread(this, "weir-fast-" + name);
    thread.setDaemon(true);
  }

  /** @param again makes the session connect anew */
  void begin(Runnable again) {
    renew = again;
    thread.start();
  }

  // --- what others tell ----------------------------------------------------------------------------------------------

  synchronized void serve(@Nullable FunctionSpec function) {
    spec = function;
    leaving = true;
    wanted = true;
    selector.wakeup();
  }

  /** There is a connection that can be served; or none any more. */
  synchronized void attached(@Nullable FastGate now) {
    gate = now;
    wanted = true;
    stopping = false;
    selector.wakeup();
  }

  /** The function did something, so it has an instance. */
  synchronized void served() {
    if (!wanted) {
      wanted = true;
      selector.wakeup();
    }
  }

  void wake() {
    selector.wakeup();
  }

  private synchronized void leave() {
    leaving = true;
    selector.wakeup();
  }

  /** Lets what is under way end, for a second at most. */
  void quiesce() {
    synchronized (this) {
      stopping = true;
    }
    leave();
    long until = System.nanoTime() + QUIESCE.toNanos();
    while (busy() && System.nanoTime() < until) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(SOON_MILLIS));
    }
  }

  private synchronized boolean busy() {
    return leaving && gate != null && thread.isAlive();
  }

  void close() {
    synchronized (this) {
      closed = true;
    }
    selector.wakeup();
  }

  // --- the thread ----------------------------------------------------------------------------------------------------

  @Override
  public void run() {
    while (!isClosed()) {
      try {
        selector.select(patience());
        selector.selectedKeys().clear();
        step();
      } catch (IOException | RuntimeException e) {
        LOG.debug("{}: the kernel does not bring messages now", name, e);
        broken();
      }
    }
    drop();
    try {
      selector.close();
    } catch (IOException e) {
      LOG.trace("closing a selector", e);
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  /** Milliseconds; 0: until something happens. */
  private synchronized long patience() {
    long now = System.nanoTime();
    if (lanes != null) {
      return draining || lanesGate != null && lanesGate.waits() ? SOON_MILLIS
          : Math.max(SOON_MILLIS, TimeUnit.NANOSECONDS.toMillis(nextLook - now));
    }
    return wanted && gate != null && spec != null && !stopping
        ? Math.max(SOON_MILLIS, TimeUnit.NANOSECONDS.toMillis(notBefore - now)) : 0;
  }

  private void step() throws IOException {
    FastGate now;
    FunctionSpec function;
    boolean leave;
    boolean open;
    synchronized (this) {
      now = gate;
      function = spec;
      leave = leaving;
      leaving &= lanes != null;
      open = wanted && !stopping && System.nanoTime() >= notBefore;
    }
    if (lanes != null && lanesGate != now) {
      drop();   // its connection is no more, and nobody can acknowledge
    }
    if (lanes == null) {
      if (open && now != null && function != null) {
        open(now, function);
      }
    } else if (draining) {
      drain();
    } else if (function == null || now == null) {
      drop();
    } else if (leave || !lanes.healthy() || stuck(function, now)) {
      beginDraining(now, function);
    } else if (now.waits()) {
      now.flushIfOld();
      if (lanes.quiet()) {
        now.release(false);
      }
    }
  }

  private void open(FastGate now, FunctionSpec function) throws IOException {
    Optional<Adaptor> kernel = adaptor.get();
    Optional<Place> place = kernel.flatMap(each -> each.instance(name));
    if (place.isEmpty()) {
      notWanted();   // until the function has served something
      return;
    }
    Optional<Lanes> opened = Lanes.open(now.subscription(), place.get(), function, selector, this::leave,
        now::answered);
    if (opened.isEmpty()) {
      LOG.debug("{}: the kernel does not take up connections to {}", name, place.get());
      notBefore = System.nanoTime() + backoff.next().toNanos();
      return;
    }
    synchronized (this) {
      lanes = opened.get();
      lanesGate = now;
      leaving = spec != function;
    }
    draining = false;
    nextLook = System.nanoTime() + look(function).toNanos();
    looked = false;
    now.open();
    if (!told) {
      told = true;
      LOG.info("{}: the kernel brings messages to {}", name, place.get().address());
    }
  }

  private static Duration look(FunctionSpec function) {
    Duration half = function.timeout().dividedBy(2);
    return half.compareTo(LOOK) < 0 ? half : LOOK;
  }

  private boolean stuck(FunctionSpec function, FastGate now) {
    if (System.nanoTime() < nextLook) {
      return false;
    }
    nextLook = System.nanoTime() + look(function).toNanos();
    boolean lost = now.lost();
    boolean stuck = lost && looked || lanes.stuck(function.timeout());
    looked = lost;
    return stuck;
  }

  private synchronized void notWanted() {
    wanted = false;
  }

  private void beginDraining(FastGate now, FunctionSpec function) {
    now.shut();
    lanes.disable();
    draining = true;
    looked = false;
    drainUntil = System.nanoTime() + function.timeout().toNanos();
  }

  /** Waits until the function has answered all it got; answers that come to us make receipts, too. */
  private void drain() {
    boolean healthy = lanes.healthy();
    boolean quiet = lanes.quiet();
    boolean twice = quiet && looked;   // one may just have been on its way
    looked = quiet;
    if (!twice && System.nanoTime() < drainUntil) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(SOON_MILLIS));   // an ended connection is always ready
      return;
    }
    if (!lanes.settled() || lanesGate.lost()) {
      broken();
      return;
    }
    FastGate last = lanesGate;
    if (lanes.handed()) {
      pause();   // the next answer may be one of those again
    }
    drop();
    last.release(true);
    if (healthy) {
      served();   // there may be another instance
    } else {
      notWanted();   // or a function that closes idle connections would keep itself awake
    }
  }

  /** The broker shall send again what was not acknowledged. */
  private void broken() {
    boolean again;
    synchronized (this) {
      again = gate != null && !stopping && lanes != null;
    }
    pause();
    drop();
    if (again) {
      LOG.debug("{}: connecting anew, for what the kernel brought and was not acknowledged", name);
      renew.run();
    }
  }

  private void pause() {
    try {
      if (lanes != null && lanes.answered() >= WELL) {
        backoff.reset();
      }
    } catch (RuntimeException e) {
      LOG.trace("{}: the kernel service is gone", name, e);
    }
    notBefore = System.nanoTime() + backoff.next().toNanos();
  }

  private void drop() {
    Lanes last = lanes;
    synchronized (this) {
      lanes = null;
      lanesGate = null;
      leaving = false;
    }
    draining = false;
    if (last != null) {
      try {
        last.close();
        selector.selectNow();   // deregisters
      } catch (IOException | RuntimeException e) {
        LOG.debug("{}: closing lanes", name, e);
      }
    }
  }
}

package io.weir.pool.internal;

import io.weir.engine.Residence;
import io.weir.kernel.KernelSignal;
import io.weir.kernel.Traffic;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** A kernel that counts what it is told to, into the calls of a {@link FakeEngine}. */
final class FakeTraffic implements Traffic {
  final Map<String, Member> members = new LinkedHashMap<>();
  /** All that ever joined, each as often as it did. */
  final List<Member> joined = new java.util.concurrent.CopyOnWriteArrayList<>();
  /** What {@link #loads} says beyond idleness, by container. */
  final Map<String, Load> loads = new ConcurrentHashMap<>();
  /** One permit for each look at the loads. */
  final Semaphore looked = new Semaphore(0);
  final AtomicInteger looks = new AtomicInteger();
  volatile Consumer<KernelSignal> listener = signal -> {};
  /** Answers a question whether something listens; unless set, at once that it does not know. */
  volatile CompletableFuture<Boolean> listening = CompletableFuture.completedFuture(false);
  /** Done as soon as somebody has asked that question. */
  final CompletableFuture<Void> asked = new CompletableFuture<>();
  /** Whether it counts nobody, because there are too many. */
  volatile boolean full;
  /** Happens after the loads were read and before anybody learns of them. */
  volatile Runnable whileLooking = () -> {};
  private final FakeEngine engine;

  FakeTraffic(FakeEngine engine) {
    this.engine = engine;
  }

  private void note(String call, String container) {
    synchronized (engine) {
      engine.calls.add(call + " " + container.substring("id-".length()));
    }
  }

  /** Everything done to one instance, without its name. */
  static List<String> of(String instance, FakeEngine engine) {
    return engine.calls().stream().filter(call -> call.endsWith(" " + instance))
        .map(call -> call.substring(0, call.indexOf(' '))).toList();
  }

  void loaded(String container, int inFlight, long requests, long idleNanos) {
    loads.put(container, new Load(container, inFlight, inFlight, requests, idleNanos));
  }

  /** Waits until what was set before has been taken notice of: one look may be under way, and the next end after it returned. */
  void awaitLook() throws InterruptedException {
    looked.drainPermits();
    if (!looked.tryAcquire(3, 20, TimeUnit.SECONDS)) {
      throw new AssertionError("nobody looks at the loads");
    }
  }

  @Override
  public CompletionStage<Boolean> listening(Residence residence, int port) {
    asked.complete(null);
    return listening;
  }

  @Override
  public synchronized void join(Member member) {
    note("join", member.container());
    members.put(member.container(), member);
    joined.add(member);
  }

  private void require(String container) {
    if (!members.containsKey(container)) {
      note("stray", container);
    }
  }

  @Override
  public synchronized void open(String container) {
    require(container);
    note("open", container);
  }

  @Override
  public synchronized void drain(String container) {
    require(container);
    note("drain", container);
  }

  @Override
  public synchronized boolean rest(String container) {
    require(container);
    boolean idle = !full && (!loads.containsKey(container) || loads.get(container).inFlight() == 0);
    note(idle ? "rest" : "busy", container);
    return idle;
  }

  @Override
  public synchronized void wake(String container) {
    require(container);
    note("wake", container);
  }

  @Override
  public synchronized void leave(String container) {
    note("leave", container);
    members.remove(container);
    loads.remove(container);
  }

  synchronized List<Member> members() {
    return new ArrayList<>(members.values());
  }

  @Override
  public List<Load> loads() {
    looks.incrementAndGet();
    List<Load> now = full ? List.of() : members().stream().map(member -> loads.getOrDefault(member.container(),
        new Load(member.container(), 0, 0, 0, Long.MAX_VALUE))).toList();
    whileLooking.run();
    looked.release();
    return now;
  }

  @Override
  public AutoCloseable subscribe(Consumer<KernelSignal> consumer) {
    listener = consumer;
    return () -> listener = signal -> {};
  }
}

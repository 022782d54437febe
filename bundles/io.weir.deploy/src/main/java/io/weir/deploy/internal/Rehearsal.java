package io.weir.deploy.internal;

import io.weir.engine.Instance;
import io.weir.engine.Instance.State;
import io.weir.engine.InstancePool;
import io.weir.engine.Ladder;
import io.weir.function.FunctionSpec;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Finds out whether functions can be started: before they are declared, and whether they really took over afterwards. Blocks. */
final class Rehearsal {
  private static final Set<State> SERVING = EnumSet.of(State.READY, State.FREEZING, State.FROZEN, State.THAWING);
  private static final long LOOK_MILLIS = 50;
  /** The pool's own time limits are to be the first to tell, since they tell why. */
  private static final Duration SLACK = Duration.ofSeconds(5);

  private final InstancePool pool;
  private final Ladder ladder;
  private final Duration timeout;
  private final CountDownLatch closing;

  /** What kept a function from taking over, in words for people. */
  static final class Failed extends Exception {
    private static final long serialVersionUID = 1L;

    Failed(String message, Throwable cause) {
      super(message, cause);
    }

    Failed(String message) {
      super(message);
    }
  }

  Rehearsal(InstancePool pool, Ladder ladder, Duration timeout, CountDownLatch closing) {
    this.pool = pool;
    this.ladder = ladder;
    this.timeout = timeout;
    this.closing = closing;
  }

  /** Returns once an instance of the function took connections. */
  void before(FunctionSpec spec) throws Failed, InterruptedException {
    try {
      ladder.rehearse(spec, timeout).toCompletableFuture().get(timeout.plus(SLACK).toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new Failed("function " + spec.name() + " did not start: " + cause.getMessage(), cause);
    } catch (TimeoutException e) {
      throw new Failed("function " + spec.name() + " did not start within " + timeout.toSeconds() + " s", e);
    }
  }

  /** Returns once no instance of another revision serves any more; one that sleeps has nothing to take over. */
  void after(FunctionSpec spec) throws Failed, InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (pool.instances().stream().anyMatch(instance -> isOld(instance, spec))) {
      var broken = ladder.breakdown(spec.name());
      if (broken.isPresent()) {
        throw new Failed("function " + spec.name() + " is broken: " + broken.get().detail());
      }
      if (System.nanoTime() - deadline > 0) {
        throw new Failed("function " + spec.name() + " did not take over within " + timeout.toSeconds() + " s");
      }
      if (closing.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        throw new InterruptedException("the gateway goes down");
      }
    }
  }

  private static boolean isOld(Instance instance, FunctionSpec spec) {
    return instance.function().equals(spec.name()) && SERVING.contains(instance.state())
        && !instance.revision().equals(spec.revision());
  }
}

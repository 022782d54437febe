package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HostEndsTest {
  private final Slow hook = new Slow();
  private final BlockingQueue<Integer> ready = new LinkedBlockingQueue<>();
  private final HostEnds ends = new HostEnds(hook, new Once(), ready::add);

  /** The kernel, which takes its time. */
  private static final class Slow implements Hook {
    final Semaphore may = new Semaphore(0);
    final BlockingQueue<Integer> begun = new LinkedBlockingQueue<>();
    final List<Integer> there = new ArrayList<>();
    volatile boolean gone;

    @Override
    public void attach(int ifindex) {
      begun.add(ifindex);
      may.acquireUninterruptibly();
      if (gone) {
        throw new KernelError("attaching to an interface that is gone", 19);
      }
      synchronized (there) {
        there.add(ifindex);
      }
    }

    @Override
    public void detach(int ifindex) {
      synchronized (there) {
        there.remove((Integer) ifindex);
      }
    }

    @Override
    public List<Integer> pinned() {
      synchronized (there) {
        return List.copyOf(there);
      }
    }
  }

  @AfterEach
  void close() {
    hook.may.release(100);
    ends.close();
  }

  @Test
  void whoBringsAnInstanceDoesNotWaitForTheKernel() throws Exception {
    assertThat(ends.arrived(7)).isFalse();
    assertThat(ready).isEmpty();

    hook.may.release();

    assertThat(ready.poll(10, TimeUnit.SECONDS)).isEqualTo(7);
    assertThat(ends.arrived(7)).as("once it is there").isTrue();
  }

  @Test
  void anInterfaceThatIsGivenToTheNextInstanceIsThereAtOnce() throws Exception {
    hook.may.release();
    ends.arrived(7);
    assertThat(ready.poll(10, TimeUnit.SECONDS)).isEqualTo(7);

    ends.left(7);

    assertThat(ends.arrived(7)).isTrue();
    assertThat(hook.pinned()).containsExactly(7);
  }

  @Test
  void nothingIsAttachedForAnInstanceThatIsGoneByThen() throws Exception {
    ends.arrived(7);
    assertThat(hook.begun.poll(10, TimeUnit.SECONDS)).isEqualTo(7);
    ends.arrived(8);
    ends.left(8);
    ends.arrived(9);

    hook.may.release(2);

    assertThat(ready.poll(10, TimeUnit.SECONDS)).isEqualTo(7);
    assertThat(ready.poll(10, TimeUnit.SECONDS)).isEqualTo(9);
    assertThat(hook.begun).containsExactly(9);
  }

  @Test
  void anInterfaceThatVanishesMeanwhileIsNoConcernOfTheOthers() throws Exception {
    hook.gone = true;
    ends.arrived(7);
    assertThat(hook.begun.poll(10, TimeUnit.SECONDS)).isEqualTo(7);
    ends.left(7);
    hook.may.release();
    ends.arrived(8);
    assertThat(hook.begun.poll(10, TimeUnit.SECONDS)).isEqualTo(8);

    hook.gone = false;
    hook.may.release();

    assertThat(ready.poll(10, TimeUnit.SECONDS)).isEqualTo(8);
  }

  @Test
  void whatFailedIsTriedAgain() throws Exception {
    hook.gone = true;
    hook.may.release();
    ends.arrived(7);
    assertThat(hook.begun.poll(10, TimeUnit.SECONDS)).isEqualTo(7);
    ends.arrived(7);
    assertThat(hook.begun.poll(10, TimeUnit.SECONDS)).isEqualTo(7);

    hook.gone = false;
    ends.look();
    hook.may.release(2);

    assertThat(ready.poll(10, TimeUnit.SECONDS)).isEqualTo(7);
  }

  @Test
  void nothingIsLeftEvenIfItIsClosedWhileTheKernelWorks() throws Exception {
    ends.arrived(7);
    assertThat(hook.begun.poll(10, TimeUnit.SECONDS)).isEqualTo(7);
    ends.arrived(8);
    hook.may.release();

    ends.close();

    assertThat(hook.pinned()).isEmpty();
    assertThat(hook.begun).isEmpty();
  }
}

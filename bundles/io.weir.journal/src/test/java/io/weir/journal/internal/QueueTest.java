package io.weir.journal.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class QueueTest {
  private static final long LONG = TimeUnit.SECONDS.toNanos(60);
  private static final long SHORT = TimeUnit.MILLISECONDS.toNanos(50);

  @Test
  void whatOneMessageNeedsIsNotMadeToWait() throws Exception {
    Queue queue = new Queue(LONG);
    long began = System.nanoTime();
    for (int i = 0; i < 4; i++) {
      turn(queue);
    }

    assertThat(System.nanoTime() - began).as("four turns, together").isLessThan(LONG);
  }

  @Test
  void underLoadThereIsOneTurnInAWindow() throws Exception {
    Queue queue = new Queue(SHORT);
    long began = System.nanoTime();
    for (int i = 0; i < 9; i++) {
      turn(queue);
    }

    assertThat(System.nanoTime() - began).as("four turns at once, and five windows").isGreaterThanOrEqualTo(5 * SHORT);
  }

  @Test
  void whatIsTooLargeToWaitLeavesNoDebt() throws Exception {
    Queue queue = new Queue(TimeUnit.SECONDS.toNanos(1));
    for (int i = 0; i < 120; i++) {
      queue.add(request(1 << 20));
      queue.await(LONG);
    }

    long began = System.nanoTime();
    turn(queue);

    assertThat(System.nanoTime() - began).as("one window, and not 120 of them").isLessThan(LONG);
  }

  private static void turn(Queue queue) throws InterruptedException {
    queue.add(request(1));
    assertThat(queue.await(LONG)).hasSize(1);
  }

  private static Request<Integer> request(long bytes) {
    return new Request<>(bytes, false, batch -> 1);
  }
}

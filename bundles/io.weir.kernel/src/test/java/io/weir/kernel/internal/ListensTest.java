package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ListensTest {
  private final Listens listens = new Listens();

  @Test
  void whoWaitsIsToldOfHisPortOnly() {
    CompletableFuture<Boolean> waiting = listens.await(1, 8080, 0);

    listens.heard(1, 9090, 2, true, 1);
    listens.heard(2, 8080, 2, true, 1);
    assertThat(waiting).isNotDone();
    listens.heard(1, 8080, 2, true, 1);

    assertThat(waiting).isCompletedWithValue(true);
  }

  @Test
  void whoAsksSlightlyLateIsToldAtOnce() {
    listens.heard(1, 8080, 10, false, 0);

    assertThat(listens.await(1, 8080, Duration.ofSeconds(1).toNanos())).isCompletedWithValue(false);
    assertThat(listens.family(1, 8080)).contains(10);
  }

  @Test
  void aListenOfLongAgoOrOfAFormerContainerTellsNothing() {
    listens.heard(1, 8080, 2, true, 0);
    assertThat(listens.await(1, 8080, Duration.ofMinutes(1).toNanos())).isNotDone();

    listens.heard(2, 8080, 2, true, 0);
    listens.over(2);
    assertThat(listens.await(2, 8080, 1)).isNotDone();
  }

  @Test
  void nobodyWaitsForeverOnceNobodyListens() {
    CompletableFuture<Boolean> waiting = listens.await(1, 8080, 0);

    listens.close();

    assertThat(waiting).isCompletedWithValue(false);
  }
}

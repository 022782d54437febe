package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HistogramTest {
  @Test
  void eachValueLiesBelowTheBoundOfItsBucketAndNotBelowTheOneBefore() {
    List<Long> bounds = Histogram.bounds();
    Random random = new Random(1);

    assertThat(bounds).hasSize(Layout.BUCKETS).isSorted();
    for (int i = 0; i < 100_000; i++) {
      long value = random.nextLong() >>> 35 + random.nextInt(29);
      int bucket = Histogram.bucket(value);
      assertThat(value).isLessThan(bounds.get(bucket));
      assertThat(bucket == 0 || value >= bounds.get(bucket - 1)).as("%d in %d", value, bucket).isTrue();
    }
  }

  @Test
  void whatIsLongerThanAllOthersLiesInTheLastBucket() {
    assertThat(Histogram.bucket(Long.MAX_VALUE)).isEqualTo(Layout.BUCKETS - 1);
    assertThat(Histogram.bucket(-1)).isZero();
  }
}

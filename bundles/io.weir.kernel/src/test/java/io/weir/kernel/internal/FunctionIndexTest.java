package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.kernel.internal.Settings.Way;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FunctionIndexTest {
  @TempDir Path folder;

  @Test
  void aFunctionKeepsItsNumberWhenTheGatewayIsKilled() {
    Path file = folder.resolve("kernel").resolve("functions");
    FunctionIndex first = new FunctionIndex(file, Way.AUTO);
    assertThat(first.fresh()).isTrue();
    first.of(new FunctionName("a"));
    assertThat(first.of(new FunctionName("b"))).hasValue(1);

    FunctionIndex second = new FunctionIndex(file, Way.AUTO);

    assertThat(second.fresh()).isFalse();
    assertThat(second.find(new FunctionName("b"))).hasValue(1);
    assertThat(second.name(0)).contains(new FunctionName("a"));
  }

  @Test
  void aFileOfAnotherVersionIsNotTakenUp() throws Exception {
    Path file = Files.writeString(folder.resolve("functions"), "weir functions 0\n0 a\n");

    assertThat(new FunctionIndex(file, Way.AUTO).fresh()).isTrue();
    assertThat(new FunctionIndex(file, Way.AUTO).find(new FunctionName("a"))).isEmpty();
    assertThat(new FunctionIndex(file, Way.AUTO).existed()).isTrue();
  }

  @Test
  void whatIsPinnedForAnotherWayIsNotTakenUp() {
    Path file = folder.resolve("functions");
    new FunctionIndex(file, Way.EBPF).of(new FunctionName("a"));

    assertThat(new FunctionIndex(file, Way.NFT).fresh()).isTrue();
    assertThat(new FunctionIndex(file, Way.EBPF).fresh()).isFalse();
  }

  private FunctionIndex full(FunctionIndex index) {
    for (int i = 0; i < Layout.SERVICES; i++) {
      index.use(index.of(new FunctionName("f" + i)).getAsInt());
    }
    return index;
  }

  @Test
  void thereIsNoNumberBeyondTheMapsEnd() {
    FunctionIndex index = full(new FunctionIndex(folder.resolve("functions"), Way.AUTO));

    assertThat(index.of(new FunctionName("one-more"))).isEmpty();
  }

  @Test
  void numbersThatFellOutOfUseAreGivenAgainTheOldestFirst() {
    FunctionIndex index = full(new FunctionIndex(folder.resolve("functions"), Way.AUTO));
    assertThat(index.begins(7)).isTrue();
    assertThat(index.begins(7)).as("once").isFalse();
    index.use(9);
    index.release(9);
    index.release(8);
    index.release(7);

    assertThat(index.of(new FunctionName("f7"))).as("still its own").hasValue(7);
    assertThat(index.of(new FunctionName("new"))).hasValue(8);
    assertThat(index.of(new FunctionName("newer"))).hasValue(7);
    assertThat(index.begins(7)).as("what stands there is another's").isTrue();
    assertThat(index.name(8)).contains(new FunctionName("new"));
    assertThat(index.forgotten()).containsExactlyInAnyOrder(new FunctionName("f8"), new FunctionName("f7"));
    assertThat(index.forgotten()).isEmpty();
  }

  @Test
  void numbersThatWereGivenAgainAreTheirNewOwnersAfterAKill() {
    Path file = folder.resolve("functions");
    FunctionIndex first = full(new FunctionIndex(file, Way.AUTO));
    first.settle();
    first.release(5);
    first.use(first.of(new FunctionName("new")).getAsInt());
    first.release(6);
    first.of(new FunctionName("f5"));

    FunctionIndex second = new FunctionIndex(file, Way.AUTO);

    assertThat(second.name(5)).contains(new FunctionName("new"));
    assertThat(second.find(new FunctionName("f5"))).hasValue(6);
    assertThat(second.find(new FunctionName("f6"))).isEmpty();
    assertThat(second.find(new FunctionName("f7"))).hasValue(7);
  }

  @Test
  void nothingIsGivenAgainThatAnEarlierLifeMayStillUse() {
    Path file = folder.resolve("functions");
    full(new FunctionIndex(file, Way.AUTO));

    FunctionIndex second = new FunctionIndex(file, Way.AUTO);

    assertThat(second.of(new FunctionName("one-more"))).isEmpty();
    second.settle();
    assertThat(second.of(new FunctionName("one-more"))).isPresent();
  }
}

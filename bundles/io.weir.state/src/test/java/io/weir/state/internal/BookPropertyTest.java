package io.weir.state.internal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.invocation.StateAttempts.Ending;
import io.weir.invocation.StateChange;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Events that count under the same keys, begun, ended, kept and lost in any order. */
class BookPropertyTest {
  private static final FunctionName NAME = new FunctionName("f");

  private record Commit(List<StateChange> changes, Runnable settle) {}

  private final MemoryState journal = new MemoryState();
  private final Books books = new Books("life-");
  private final Book book = books.of(NAME);
  private final List<Book.Attempt> attempts = new ArrayList<>();
  private final ArrayDeque<Commit> commits = new ArrayDeque<>();
  /** How often each key was counted up by what was kept. */
  private final Map<String, Integer> counted = new HashMap<>();

  @Property
  void whatIsKeptCountsOnceEach(@ForAll @Size(max = 200) List<@IntRange(max = 999) Integer> steps) {
    for (int step : steps) {
      String key = "k" + step / 10 % 3;
      int which = step / 30;
      switch (step % 10) {
        case 0, 1 -> attempts.add(books.begin(NAME, "e" + step));
        case 2, 3, 4 -> countUp(key, which);
        case 5, 6 -> close(which);
        case 7, 8 -> end(true);
        default -> {
          if (which % 3 == 0) {
            end(false);
          } else {
            countUpAlone(key);
          }
        }
      }
    }
    while (!commits.isEmpty()) {
      end(true);
    }

    for (String key : List.of("k0", "k1", "k2")) {
      assertThat(value(journal.state(NAME, key))).as(key).isEqualTo(counted.getOrDefault(key, 0));
      assertThat(book.see(journal, key).busy()).as("nobody waits for ever").isNull();
    }
    attempts.forEach(Book.Attempt::drop);
    assertThat(books.inWork()).isZero();
  }

  private static int value(Optional<byte[]> value) {
    return value.map(bytes -> Integer.parseInt(new String(bytes, US_ASCII))).orElse(0);
  }

  private static StateChange next(String key, Optional<byte[]> before) {
    return new StateChange.Put(key, Integer.toString(value(before) + 1).getBytes(US_ASCII), Optional.empty());
  }

  /** Once for each attempt and key. */
  private void countUp(String key, int which) {
    if (attempts.isEmpty()) {
      return;
    }
    Book.Attempt attempt = attempts.get(which % attempts.size());
    Book.Seen seen = book.see(journal, key);
    if (seen.busy() == null && attempt.own(key).isEmpty() && attempt.read(key, seen)) {
      assertThat(attempt.write(next(key, seen.value()), journal)).isEmpty();
    }
  }

  private void close(int which) {
    if (attempts.isEmpty()) {
      return;
    }
    Book.Attempt attempt = attempts.remove(which % attempts.size());
    Ending ending = attempt.close();
    if (ending.counts()) {
      commits.add(new Commit(ending.changes(), attempt::settled));
    }
  }

  private void countUpAlone(String key) {
    Book.Seen seen = book.see(journal, key);
    if (seen.busy() == null) {
      CompletableFuture<Void> begun = book.begin(key, Optional.of(seen)).orElseThrow();
      commits.add(new Commit(List.of(next(key, seen.value())), () -> book.settle(begun)));
    }
  }

  /** The journal keeps its oldest change, or does not take it. */
  private void end(boolean kept) {
    Commit commit = commits.poll();
    if (commit == null) {
      return;
    }
    if (kept) {
      journal.apply(NAME, commit.changes());
      commit.changes().forEach(change -> counted.merge(change.key(), 1, Integer::sum));
    }
    commit.settle().run();
  }
}

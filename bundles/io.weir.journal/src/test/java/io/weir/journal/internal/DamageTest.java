package io.weir.journal.internal;

import static io.weir.journal.internal.Samples.DOOR;
import static io.weir.journal.internal.Samples.THERMO;
import static io.weir.journal.internal.Samples.body;
import static io.weir.journal.internal.Samples.entry;
import static io.weir.journal.internal.Samples.outcome;
import static io.weir.journal.internal.Samples.output;
import static io.weir.journal.internal.Samples.put;
import static io.weir.journal.internal.Samples.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.invocation.Acceptance;
import io.weir.invocation.Audit;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** What a journal does with a disk that lies, fails, fills or was written by somebody else. */
class DamageTest {
  private final Rig rig = new Rig(7, Samples.settings());

  private long take(String key) {
    return rig.get(rig.journal().accept(entry(THERMO, key, "body of " + key))).number();
  }

  private boolean end(long event) {
    return rig.get(rig.journal().commit(event, outcome("ok"), List.of(), List.of()));
  }

  private List<String> pending() {
    return rig.journal().pending(0, 1000).stream().map(accepted -> accepted.entry().key().orElse("")).toList();
  }

  private Audit audit() {
    return rig.journal().audit(Instant.EPOCH, Instant.ofEpochMilli(Long.MAX_VALUE));
  }

  private String last() {
    List<String> segments = rig.disk.segments();
    return segments.get(segments.size() - 1);
  }

  private String first() {
    return rig.disk.segments().get(0);
  }

  @Test
  void aTornTailIsLeftOut() {
    take("a");
    rig.reopen();
    rig.get(rig.journal().accept(entry(THERMO, "b", "x".repeat(3000))));
    rig.close();
    // As if of the last group only the first sector had reached the disk.
    byte[] torn = rig.disk.raw(last());
    List<Integer> groups = StormFolder.groups(torn);
    java.util.Arrays.fill(torn, groups.get(groups.size() - 1) + StormFolder.SECTOR, torn.length, (byte) 0);
    rig.disk.rewrite(last(), torn);

    rig.open();

    assertThat(rig.report().findings()).anyMatch(finding -> finding.contains("not written as a whole"));
    assertThat(pending()).containsExactly("a");
    assertThat(rig.disk.names()).noneMatch(name -> name.endsWith(".damaged"));
    take("b");
    assertThat(audit().problems()).isEmpty();
  }

  @Test
  void aFlippedBitCostsOneRecordAndTheFileIsSetAside() {
    CompletionStage<Acceptance> one = rig.journal().accept(entry(THERMO, "one", "1".repeat(200)));
    rig.journal().accept(entry(THERMO, "two", "2".repeat(200)));
    rig.journal().accept(entry(THERMO, "three", "3".repeat(200)));
    rig.get(one);
    take("four");
    rig.close();
    String segment = first();
    int at = new String(rig.disk.raw(segment), java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("2222") + 50;
    rig.disk.flip(segment, at);

    rig.open();

    assertThat(pending()).containsExactly("one", "three", "four");
    assertThat(rig.disk.names()).contains(segment + ".damaged").doesNotContain(segment);
    assertThat(rig.report().findings()).anyMatch(finding -> finding.contains(segment) && finding.contains("damaged"));
    assertThat(audit().unbroken()).isFalse();
    assertThat(audit().problems()).anyMatch(problem -> problem.contains("damaged"));
    // What is left does not need the damaged file any more.
    rig.reopen();
    assertThat(pending()).containsExactly("one", "three", "four");
    assertThat(take("two")).isGreaterThan(1L << 20);
    rig.reopen();
    assertThat(pending()).containsExactly("one", "three", "four", "two");
  }

  @Test
  void everyFlippedBitLeavesTheRest() {
    take("a");
    take("b");
    long c = take("c");
    rig.get(rig.journal().commit(c, outcome("ok"), List.of(output("ch", "t", "out")), List.of(put("k", "v"))));
    take("d");
    rig.close();
    String segment = first();
    int end = StormFolder.groups(rig.disk.raw(segment)).get(4) + Layout.PAGE;
    for (int at = 0; at < end; at += 97) {
      Rig other = new Rig(flipped(segment, at), rig.settings, at);
      List<String> keys = other.journal().pending(0, 10).stream().map(each -> each.entry().key().orElse("")).toList();
      int group = at / Layout.PAGE;
      for (int i = 0; i < 4; i++) {
        String key = List.of("a", "b", "c", "d").get(i);
        int in = i < 3 ? i + 1 : 5;
        if (group != in && i != 2) {
          assertThat(keys).as("flipped at " + at).contains(key);
        }
      }
      if (group != 3 && group != 4) {
        assertThat(keys).as("flipped at " + at).doesNotContain("c");
        assertThat(other.journal().outgoing("ch", 0, 10)).as("flipped at " + at).hasSize(1);
        assertThat(other.journal().state(THERMO, "k")).isPresent();
      } else if (group == 4) {
        assertThat(other.journal().outgoing("ch", 0, 10).size()).as("together or not at all, flipped at " + at)
            .isEqualTo(other.journal().state(THERMO, "k").isPresent() ? 1 : 0)
            .isEqualTo(keys.contains("c") ? 0 : 1);
      }
      assertThat(other.get(other.journal().accept(entry(THERMO, "new", "x")))).isInstanceOf(Acceptance.Taken.class);
      other.reopen();
      assertThat(other.journal().find(THERMO, "new")).isPresent();
    }
  }

  private StormFolder flipped(String segment, int at) {
    StormFolder copy = rig.disk.copy();
    copy.flip(segment, at);
    return copy;
  }

  @Test
  void aTruncatedFileGivesWhatIsLeft() {
    take("a");
    take("b");
    take("c");
    rig.close();
    String segment = first();
    byte[] whole = rig.disk.raw(segment);
    for (int length = 0; length < 5 * Layout.PAGE; length += 509) {
      StormFolder copy = rig.disk.copy();
      copy.rewrite(segment, java.util.Arrays.copyOf(whole, length));
      Rig other = new Rig(copy, rig.settings, length);
      int intact = (length - Layout.PAGE) / Layout.PAGE;
      assertThat(other.journal().pending(0, 10).size()).as("length " + length)
          .isGreaterThanOrEqualTo(Math.max(0, Math.min(3, intact)));
      assertThat(other.get(other.journal().accept(entry(THERMO, "new", "x")))).isInstanceOf(Acceptance.Taken.class);
    }
  }

  @Test
  void aJournalOfAnotherVersionIsLeftAsItIs() {
    take("a");
    rig.close();
    String segment = first();
    byte[] ours = rig.disk.raw(segment).clone();
    byte[] newer = ours.clone();
    for (int at : new int[] {8, Layout.PAGE / 2 + 8}) {
      newer[at + 3] = 2;
    }
    rig.disk.rewrite(segment, newer);

    assertThatThrownBy(rig::open).hasMessageContaining(segment + " is of version 2, and this gateway knows version 1");

    assertThat(rig.disk.raw(segment)).isEqualTo(newer);
    rig.disk.rewrite(segment, ours);
    rig.open();
    assertThat(pending()).containsExactly("a");
    assertThat(audit().unbroken()).isTrue();
  }

  @Test
  void aFileOfSomebodyElseIsSetAside() {
    take("a");
    take("another");
    rig.reopen();
    take("b");
    rig.close();
    rig.disk.denyReading(first());
    String segment = first();

    rig.open();

    assertThat(pending()).as("the last group before was written again").containsExactly("another", "b");
    assertThat(rig.disk.names()).contains(segment + ".unreadable");
    assertThat(rig.report().findings()).anyMatch(finding -> finding.contains("cannot be read"));
  }

  @Test
  void filesThatAreNotOursAreLeftAlone() {
    rig.close();
    rig.disk.rewrite("notes.txt", new byte[] {1, 2, 3});
    rig.disk.rewrite("journal-0000000000000009.seg", new byte[100]);
    rig.open();

    take("a");
    rig.reopen();

    assertThat(pending()).containsExactly("a");
    assertThat(rig.disk.names()).contains("notes.txt", "journal-0000000000000009.seg.damaged");
  }

  @Test
  void aReadOnlyDiskIsReadAndTakesNothing() {
    long a = take("a");
    end(take("b"));
    rig.close();
    rig.disk.readOnly = true;

    rig.open();

    assertThat(pending()).containsExactly("a");
    assertThat(rig.get(rig.journal().accept(entry(THERMO, "b", "")))).isInstanceOf(Acceptance.Done.class);
    assertThat(rig.get(rig.journal().accept(entry(THERMO, "a", "")))).isEqualTo(new Acceptance.Pending(a, 0));
    assertThat(rig.failure(rig.journal().accept(entry(THERMO, "c", "")))).isInstanceOf(JournalUnavailable.class)
        .hasMessageContaining("read-only");
    assertThat(rig.news).anyMatch(news -> news.contains("read-only"));

    rig.disk.readOnly = false;
    rig.now += 2000;
    take("c");
    assertThat(pending()).containsExactly("a", "c");
    assertThat(rig.news).contains("writable again");
  }

  @Test
  void aReadOnlyDiskWithADamagedFileIsReadAsWell() {
    take("a");
    take("b");
    take("c");
    rig.close();
    rig.disk.flip(first(), 2 * Layout.PAGE + 100);
    rig.disk.readOnly = true;

    rig.open();

    assertThat(pending()).containsExactly("a", "c");
    rig.disk.readOnly = false;
    rig.now += 2000;
    take("d");
    rig.tidy();
    rig.reopen();
    assertThat(pending()).containsExactly("a", "c", "d");
    assertThat(rig.disk.names()).anyMatch(name -> name.endsWith(".damaged"));
  }

  @Test
  void aFileThatCouldNotBeForcedIsNotTrusted() {
    take("a");
    String segment = last();
    rig.disk.failForces = 1;

    long b = take("b");

    assertThat(last()).isNotEqualTo(segment);
    rig.disk.crash();
    rig.open();
    assertThat(pending()).containsExactly("a", "b");
    assertThat(end(b)).isTrue();
    assertThat(audit().problems()).isEmpty();
  }

  @Test
  void whatIsInAFileThatFailedIsWrittenElsewhere() {
    take("a");
    String segment = last();
    rig.disk.failForces = 1;
    take("b");

    rig.tidy();

    assertThat(rig.disk.names()).contains(segment + ".failed").doesNotContain(segment);
    rig.disk.crash();
    rig.open();
    assertThat(pending()).containsExactly("a", "b");
    assertThat(audit().problems()).isEmpty();
  }

  @Test
  void aDiskThatFailsForGoodRefusesAndComesBack() {
    take("a");
    rig.disk.failForces = Integer.MAX_VALUE;
    assertThat(rig.failure(rig.journal().accept(entry(THERMO, "b", "")))).isInstanceOf(JournalUnavailable.class);
    assertThat(pending()).containsExactly("a");
    assertThat(rig.ledger().failure()).isNotEmpty();

    rig.disk.failForces = 0;
    assertThat(rig.failure(rig.journal().accept(entry(THERMO, "b", "")))).as("not tried again at once")
        .isInstanceOf(JournalUnavailable.class);
    rig.now += 2000;
    take("b");

    rig.crash();
    assertThat(pending()).containsExactly("a", "b");
    assertThat(audit().problems()).isEmpty();
  }

  @Test
  void aFullDiskEndsAcceptanceButNotWhatWasAccepted() {
    long early = take("early");
    rig.disk.capacity = 5L << 20;
    List<Long> taken = new ArrayList<>();
    Throwable why = null;
    for (int i = 0; i < 1000 && why == null; i++) {
      CompletionStage<Acceptance> stage = rig.journal().accept(entry(THERMO, "k" + i, "x".repeat(8000)));
      rig.turn();
      if (stage.toCompletableFuture().isCompletedExceptionally()) {
        why = rig.failure(stage);
      } else {
        taken.add(stage.toCompletableFuture().join().number());
      }
    }

    assertThat(why).isInstanceOfSatisfying(JournalFull.class,
        full -> assertThat(full.reason()).isIn(JournalFull.Reason.DISK, JournalFull.Reason.TOTAL));
    assertThat(taken.size()).isGreaterThan(50);
    assertThat(end(early)).isTrue();
    for (long event : taken) {
      assertThat(end(event)).isTrue();
    }
    rig.tidy();
    take("now there is room again");
    rig.crash();
    assertThat(pending()).containsExactly("now there is room again");
    assertThat(audit().problems()).isEmpty();
  }

  @Test
  void aClockThatGoesBackThrowsNothingAway() {
    rig.get(rig.journal().change(THERMO, List.of(new io.weir.invocation.StateChange.Put("k", new byte[] {1},
        java.util.Optional.of(java.time.Duration.ofMinutes(10))))));
    end(take("done"));
    take("a");
    rig.now -= 86_400_000L * 365;
    rig.reopen();

    assertThat(rig.report().findings()).anyMatch(finding -> finding.contains("clock"));
    take("b");
    assertThat(pending()).containsExactly("a", "b");
    assertThat(rig.journal().state(THERMO, "k")).isPresent();
    assertThat(rig.journal().find(THERMO, "done")).get().isInstanceOf(Acceptance.Done.class);
    assertThat(audit().problems()).isEmpty();
  }

  @Test
  void whoeverRewritesAGroupIsFoundOut() {
    take("a");
    take("b");
    String head = audit().head();
    take("c");
    assertThat(audit().head()).isNotEqualTo(head);
    String segment = last();
    byte[] raw = rig.disk.raw(segment);
    int second = 2 * Layout.PAGE;
    System.arraycopy(raw, Layout.PAGE, raw, second, Layout.PAGE);
    rig.disk.rewrite(segment, raw);
    rig.close();
    rig.open();

    assertThat(audit().unbroken()).isFalse();
    assertThat(audit().problems()).anyMatch(problem -> problem.contains("follow"));
  }

  @Test
  void bytesThatLookLikeAGroupAreNotTakenForOne() {
    take("a");
    byte[] group = java.util.Arrays.copyOfRange(rig.disk.raw(first()), Layout.PAGE, 2 * Layout.PAGE);
    byte[] body = new byte[5 * Layout.PAGE];
    for (int at = 0; at + group.length < body.length; at += 1) {
      if (at % Layout.PAGE == 0) {
        System.arraycopy(group, 0, body, at, group.length);
      }
    }
    rig.get(rig.journal().accept(entry(DOOR, "evil", body)));
    rig.close();
    Map<String, byte[]> image = rig.disk.image();
    for (String segment : rig.disk.segments()) {
      byte[] raw = image.get(segment).clone();
      raw[2 * Layout.PAGE + 5] ^= 1;  // the head of the evil group
      rig.disk.rewrite(segment, raw);
    }

    rig.open();

    assertThat(rig.journal().pending(0, 10)).filteredOn(each -> body(each.entry()).equals("body of a")).hasSize(1);
    assertThat(text(body)).isNotEmpty();
  }
}

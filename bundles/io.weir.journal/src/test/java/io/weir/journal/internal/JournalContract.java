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
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.DeadLetter;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.InvocationJournal.Outgoing;
import io.weir.invocation.Payload;
import io.weir.invocation.StateChange;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** What everybody may expect of a journal, whoever keeps it. */
abstract class JournalContract {

  abstract InvocationJournal journal();

  /** Has what is asked for done, and waits for it. */
  abstract <T> T get(CompletionStage<T> stage);

  /** Closes the journal and opens it again. */
  abstract void reopen() throws Exception;

  abstract void pass(Duration time);

  private long take(Entry entry) {
    Acceptance acceptance = get(journal().accept(entry));
    assertThat(acceptance).isInstanceOf(Acceptance.Taken.class);
    return acceptance.number();
  }

  private boolean end(long event) {
    return get(journal().commit(event, outcome("ok"), List.of(), List.of()));
  }

  @Test
  void anEventIsPendingUntilItEnds() throws Exception {
    long first = take(entry(THERMO, "1", "21.5"));
    long second = take(entry(DOOR, "", "open"));

    reopen();

    assertThat(journal().pending(0, 10)).extracting(Accepted::number).containsExactly(first, second);
    assertThat(journal().pending(first, 10)).extracting(Accepted::number).containsExactly(second);
    assertThat(journal().pending(0, 1)).hasSize(1);
    assertThat(end(first)).isTrue();
    reopen();
    assertThat(journal().pending(0, 10)).extracting(Accepted::number).containsExactly(second);
  }

  @Test
  void anEventComesBackAsItWas() throws Exception {
    Entry entry = entry(THERMO, "key", "21.5 °C");
    take(entry);
    reopen();

    Entry back = journal().pending(0, 1).get(0).entry();

    assertThat(back.key()).isEqualTo(entry.key());
    assertThat(back.order()).isEqualTo(entry.order());
    assertThat(back.notes()).isEqualTo(entry.notes());
    Invocation invocation = back.invocation();
    assertThat(invocation).usingRecursiveComparison().ignoringFields("body").isEqualTo(entry.invocation());
    assertThat(body(back)).isEqualTo("21.5 °C");
  }

  @Test
  void aKeyThatComesAgainIsNotTakenAgain() throws Exception {
    long event = take(entry(THERMO, "k", "1"));
    assertThat(get(journal().accept(entry(THERMO, "k", "1")))).isEqualTo(new Acceptance.Pending(event, 0));
    get(journal().attempted(event, 3));
    reopen();
    assertThat(get(journal().accept(entry(THERMO, "k", "1")))).isEqualTo(new Acceptance.Pending(event, 3));

    end(event);
    reopen();

    Acceptance.Done done = (Acceptance.Done) get(journal().accept(entry(THERMO, "k", "1")));
    assertThat(done.number()).isEqualTo(event);
    assertThat(done.outcome()).usingRecursiveComparison().isEqualTo(outcome("ok"));
    assertThat(journal().find(THERMO, "k")).get().isInstanceOf(Acceptance.Done.class);
    assertThat(journal().find(DOOR, "k")).isEmpty();
    assertThat(journal().pending(0, 10)).isEmpty();
  }

  @Test
  void keysOfOneFunctionAreNotThoseOfAnother() {
    take(entry(THERMO, "k", "1"));
    take(entry(DOOR, "k", "1"));
    take(entry(DOOR, "", "no key"));
    take(entry(DOOR, "", "no key"));
  }

  @Test
  void twoOfTheSameKeyAtOnceAreOneEvent() {
    CompletionStage<Acceptance> one = journal().accept(entry(THERMO, "k", "1"));
    CompletionStage<Acceptance> two = journal().accept(entry(THERMO, "k", "1"));

    assertThat(get(one)).isInstanceOf(Acceptance.Taken.class);
    assertThat(get(two)).isEqualTo(new Acceptance.Pending(get(one).number(), 0));
  }

  @Test
  void aForgottenKeyMeansAnotherEvent() throws Exception {
    long first = take(entry(THERMO, "packet 7", "1"));
    get(journal().forget(THERMO, "packet 7"));
    reopen();
    long second = take(entry(THERMO, "packet 7", "2"));
    assertThat(second).isGreaterThan(first);
    end(first);
    reopen();

    assertThat(journal().find(THERMO, "packet 7")).contains(new Acceptance.Pending(second, 0));
    end(second);
    get(journal().forget(THERMO, "packet 7"));
    reopen();
    assertThat(journal().find(THERMO, "packet 7")).isEmpty();
  }

  @Test
  void anEventEndsOnce() {
    long event = take(entry(THERMO, "k", "1"));
    CompletionStage<Boolean> one = journal().commit(event, outcome("one"), List.of(output("c", "t", "one")), List.of());
    CompletionStage<Boolean> two = journal().commit(event, outcome("two"), List.of(output("c", "t", "two")), List.of());

    assertThat(get(one)).isTrue();
    assertThat(get(two)).isFalse();
    assertThat(get(journal().deadLetter(event, "late", "", 1))).isFalse();
    assertThat(get(journal().attempted(event, 9))).isFalse();
    assertThat(journal().outgoing("c", 0, 10)).extracting(out -> text(out.output().body())).containsExactly("one");
  }

  @Test
  void outcomeOutputsAndStateAreThereTogether() throws Exception {
    long event = take(entry(THERMO, "k", "1"));
    get(journal().commit(event, outcome("ok"), List.of(output("mqtt", "a", "1"), output("mqtt", "b", "2"),
        output("other", "c", "3")), List.of(put("count", "1"), put("last", "21.5"), new StateChange.Delete("none"))));
    reopen();

    List<Outgoing> outgoing = journal().outgoing("mqtt", 0, 10);
    assertThat(outgoing).extracting(out -> out.output().target()).containsExactly("a", "b");
    assertThat(outgoing.get(0).event()).isEqualTo(event);
    assertThat(outgoing.get(0).function()).isEqualTo(THERMO);
    assertThat(outgoing.get(0).output()).usingRecursiveComparison().isEqualTo(output("mqtt", "a", "1"));
    assertThat(journal().outgoing("other", 0, 10)).hasSize(1);
    assertThat(journal().outgoing("mqtt", outgoing.get(0).number(), 10)).hasSize(1);
    assertThat(journal().outgoing("nobody", 0, 10)).isEmpty();
    assertThat(journal().state(THERMO, "count").map(Samples::text)).contains("1");
    assertThat(journal().stateKeys(THERMO)).containsExactly("count", "last");
    assertThat(journal().state(DOOR, "count")).isEmpty();
  }

  @Test
  void outputsKeepTheOrderOfTheirCommits() throws Exception {
    long one = take(entry(THERMO, "1", "1"));
    long two = take(entry(THERMO, "2", "2"));
    get(journal().commit(two, outcome(""), List.of(output("c", "t", "two")), List.of()));
    get(journal().commit(one, outcome(""), List.of(output("c", "t", "one")), List.of()));
    reopen();

    assertThat(journal().outgoing("c", 0, 10)).extracting(out -> text(out.output().body()))
        .containsExactly("two", "one");
  }

  @Test
  void anOutputIsThereUntilItIsSettled() throws Exception {
    long event = take(entry(THERMO, "1", "1"));
    get(journal().commit(event, outcome(""), List.of(output("c", "t", "1")), List.of()));
    long number = journal().outgoing("c", 0, 1).get(0).number();
    assertThat(get(journal().received(number))).isTrue();
    reopen();
    assertThat(journal().outgoing("c", 0, 1).get(0).received()).isTrue();

    assertThat(get(journal().settled(number))).isTrue();
    assertThat(get(journal().settled(number))).isFalse();
    assertThat(get(journal().received(number))).isFalse();
    reopen();
    assertThat(journal().outgoing("c", 0, 1)).isEmpty();
  }

  @Test
  void aChannelHearsOfItsOutputs() throws Exception {
    List<Integer> heard = new ArrayList<>();
    AutoCloseable watch = journal().watch("c", () -> heard.add(journal().outgoing("c", 0, 10).size()));
    long event = take(entry(THERMO, "1", "1"));
    long other = take(entry(THERMO, "2", "1"));

    get(journal().commit(event, outcome(""), List.of(output("c", "t", "1")), List.of()));
    get(journal().commit(other, outcome(""), List.of(output("d", "t", "1")), List.of()));

    assertThat(heard).containsExactly(1);
    watch.close();
    get(journal().commit(take(entry(THERMO, "3", "1")), outcome(""), List.of(output("c", "t", "1")), List.of()));
    assertThat(heard).hasSize(1);
  }

  @Test
  void stateChangesByItselfAndEndsInTime() throws Exception {
    get(journal().change(THERMO, List.of(put("a", "1"), put("b", "2"),
        new StateChange.Put("c", "3".getBytes(), Optional.of(Duration.ofSeconds(60))))));
    get(journal().change(THERMO, List.of(put("a", "11"), new StateChange.Delete("b"))));
    reopen();

    assertThat(journal().stateKeys(THERMO)).containsExactly("a", "c");
    assertThat(journal().state(THERMO, "a").map(Samples::text)).contains("11");
    pass(Duration.ofSeconds(61));
    assertThat(journal().stateKeys(THERMO)).containsExactly("a");
    assertThat(journal().state(THERMO, "c")).isEmpty();
  }

  @Test
  void aDeadLetterIsKeptUntilItIsDropped() throws Exception {
    long event = take(entry(THERMO, "k", "poison"));
    assertThat(get(journal().deadLetter(event, "status-500", "it crashed", 6))).isTrue();
    reopen();

    DeadLetter letter = journal().deadLetters(0, 10).get(0);
    assertThat(letter.number()).isEqualTo(event);
    assertThat(letter.reason()).isEqualTo("status-500");
    assertThat(letter.detail()).isEqualTo("it crashed");
    assertThat(letter.attempts()).isEqualTo(6);
    assertThat(body(letter.entry())).isEqualTo("poison");
    assertThat(journal().pending(0, 10)).isEmpty();
    assertThat(get(journal().accept(entry(THERMO, "k", "poison"))))
        .isEqualTo(new Acceptance.Dead(event, "status-500", "it crashed"));
    assertThat(end(event)).isFalse();

    assertThat(get(journal().drop(event))).isTrue();
    assertThat(get(journal().drop(event))).isFalse();
    reopen();
    assertThat(journal().deadLetters(0, 10)).isEmpty();
    assertThat(journal().find(THERMO, "k")).isEmpty();
  }

  @Test
  void aDeadLetterIsReplayedAsANewEvent() throws Exception {
    long event = take(entry(THERMO, "k", "poison"));
    get(journal().deadLetter(event, "status-500", "", 6));

    OptionalLong again = get(journal().replay(event, entry(THERMO, "k", "cured")));
    assertThat(again).isPresent();
    assertThat(get(journal().replay(event, entry(THERMO, "k", "cured")))).isEmpty();
    reopen();

    assertThat(journal().deadLetters(0, 10)).isEmpty();
    assertThat(journal().pending(0, 10)).singleElement().satisfies(accepted -> {
      assertThat(accepted.number()).isEqualTo(again.getAsLong()).isGreaterThan(event);
      assertThat(accepted.attempts()).isZero();
      assertThat(body(accepted.entry())).isEqualTo("cured");
    });
    assertThat(journal().find(THERMO, "k")).contains(new Acceptance.Pending(again.getAsLong(), 0));
  }

  @Test
  void theAuditCounts() throws Exception {
    long done = take(entry(THERMO, "1", "1"));
    long dead = take(entry(THERMO, "2", "2"));
    take(entry(THERMO, "3", "3"));
    get(journal().accept(entry(THERMO, "3", "3")));
    end(done);
    get(journal().deadLetter(dead, "r", "", 1));
    reopen();

    Audit audit = journal().audit(Instant.EPOCH, Instant.ofEpochMilli(Long.MAX_VALUE));

    assertThat(audit.problems()).isEmpty();
    assertThat(audit.unbroken()).isTrue();
    assertThat(audit.accepted()).isEqualTo(3);
    assertThat(audit.done()).isEqualTo(1);
    assertThat(audit.deadLettered()).isEqualTo(1);
    assertThat(audit.pending()).isEqualTo(1);
    assertThat(audit.duplicates()).isEqualTo(1);
  }

  @Test
  void whatCanBeReadOnceIsRefused() {
    Invocation given = entry(THERMO, "1", "1").invocation();
    Invocation once = new Invocation(given.id(), THERMO, "http", "/", "POST", "/", List.of(),
        Payload.once(new ByteArrayInputStream(new byte[1]), 1), given.arrived(), given.guarantee(), false);

    if (journal() instanceof SegmentJournal) {
      assertThatThrownBy(() -> journal().accept(new Entry(once, Optional.empty(), "", List.of())))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}

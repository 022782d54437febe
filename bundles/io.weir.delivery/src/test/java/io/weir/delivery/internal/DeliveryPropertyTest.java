package io.weir.delivery.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.Promise;
import io.weir.function.Promise.Level;
import io.weir.function.Promise.Order;
import io.weir.function.Promise.Retry;
import io.weir.function.Promise.Urgency;
import io.weir.invocation.JournalUnavailable;
import io.weir.invocation.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/**
 * Whatever happens between the arrival of messages and the end of their events, in whatever order, against a small model:
 * a sender that keeps a message until it is acknowledged, and sends it again after a crash.
 */
class DeliveryPropertyTest {
  /** Something that happens, and to which of those it may happen to. */
  record Step(What what, int which) {}

  enum What { DELIVER, WRITE, WRITE_ALL, ANSWER, REJECT, FAIL, TIME_OUT, REFUSE, PASS, CRASH, DISK_FAILS, REDELIVER }

  /** A message, as its sender knows it. */
  private static final class Message {
    final String id;
    final String order;
    final boolean exactly;
    boolean acknowledged;
    boolean sent;

    Message(int number, String order, boolean exactly) {
      this.id = "m" + number;
      this.order = order;
      this.exactly = exactly;
    }
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    Arbitrary<What> what = Arbitraries.frequencyOf(
        Tuple.of(8, Arbitraries.just(What.DELIVER)), Tuple.of(6, Arbitraries.just(What.WRITE)),
        Tuple.of(6, Arbitraries.just(What.ANSWER)), Tuple.of(9, Arbitraries.of(What.class)));
    return Combinators.combine(what, Arbitraries.integers().between(0, 63)).as(Step::new).list().ofMaxSize(80);
  }

  @Property(tries = 1000)
  void losesNothingDoublesNothingAndKeepsTheOrder(@ForAll("steps") List<Step> steps) {
    Model model = new Model();
    for (Step step : steps) {
      model.take(step);
      model.check();
    }
    model.finish();
  }

  private static final class Model {
    private static final int ORDERS = 3;
    private static final Retry FOR_EVER = new Retry(1000, Duration.ofDays(30));

    private final Bench bench = new Bench();
    private final List<Message> messages = new ArrayList<>();
    private final Set<String> ended = new HashSet<>();

    Model() {
      restart();
    }

    private void restart() {
      bench.start();
      bench.journal.eager = false;
    }

    void take(Step step) {
      switch (step.what()) {
        case DELIVER -> deliver(step.which());
        case WRITE -> bench.journal.write(1 + step.which() % 3);
        case WRITE_ALL -> bench.journal.write(Integer.MAX_VALUE);
        case ANSWER -> end(step, 200);
        case REJECT -> end(step, 400);
        case FAIL -> end(step, 500);
        case TIME_OUT -> pick(step).ifPresent(id -> bench.end(id, new Outcome.Failed("timeout", "slow", true)));
        case REFUSE -> pick(step).ifPresent(id ->
            bench.end(id, new Outcome.Refused(Outcome.Reason.QUEUE_FULL, "full", Duration.ofMillis(50))));
        case PASS -> bench.pass(Duration.ofMillis(50L << step.which() % 12));
        case CRASH -> crash();
        case DISK_FAILS -> diskFails();
        case REDELIVER -> pickSent(step).ifPresent(this::send);
        default -> throw new AssertionError(step);
      }
      bench.read();
    }

    private void deliver(int which) {
      Message message = new Message(messages.size(), "t" + which % ORDERS, which % 2 == 0);
      messages.add(message);
      send(message);
    }

    private void send(Message message) {
      message.sent = true;
      Promise promise = new Promise(message.exactly ? Level.EXACTLY_ONCE : Level.AT_LEAST_ONCE, Order.TOPIC, FOR_EVER,
          Urgency.NORMAL);
      bench.accept(message.id, message.order, promise, message.exactly ? Optional.of(message.id) : Optional.empty())
          .whenComplete((acceptance, error) -> message.acknowledged |= error == null);
    }

    private Optional<String> pick(Step step) {
      List<String> working = bench.working();
      return working.isEmpty() ? Optional.empty() : Optional.of(working.get(step.which() % working.size()));
    }

    /** Only what has a key may come again out of turn: the broker sends others again after a lost connection only. */
    private Optional<Message> pickSent(Step step) {
      List<Message> some = messages.stream().filter(message -> message.exactly).toList();
      return some.isEmpty() ? Optional.empty() : Optional.of(some.get(step.which() % some.size()));
    }

    private void end(Step step, int status) {
      pick(step).ifPresent(id -> bench.answer(id, status));
    }

    private void crash() {
      bench.journal.crash();
      restart();
      messages.stream().filter(message -> !message.acknowledged).forEach(this::send);
    }

    /** Accepts must come through, so that the sender's order is not the gateway's to restore. */
    private void diskFails() {
      if (messages.stream().allMatch(message -> message.acknowledged)) {
        bench.journal.failure = new JournalUnavailable("the disk fails", null);
        bench.journal.write(Integer.MAX_VALUE);
        bench.journal.failure = null;
      }
    }

    /** What holds at every moment. */
    void check() {
      Map<String, Integer> working = new HashMap<>();
      for (Bench.Call call : bench.calls) {
        assertThat(working.merge(call.invocation().subject(), 1, Integer::sum)).as("calls at a time of "
            + call.invocation().subject()).isEqualTo(1);
        Message message = messages.get(Integer.parseInt(call.id().substring(1)));
        assertThat(message.exactly && ended.contains(call.id())).as(call.id() + " runs though it has ended").isFalse();
      }
      // Those that ended just now may not be called from now on.
      ended.addAll(bench.committed());
    }

    /** Nothing fails any more: what is promised must come true. */
    void finish() {
      crash();
      for (int i = 0; i < 10_000 && !(bench.disk.pending.isEmpty() && messages.stream().allMatch(m -> m.acknowledged)); i++) {
        bench.journal.write(Integer.MAX_VALUE);
        for (String id : bench.working()) {
          bench.answer(id, 200);
        }
        check();
        bench.pass(Duration.ofMillis(100));
      }
      bench.journal.write(Integer.MAX_VALUE);
      List<String> committed = bench.committed();
      assertThat(bench.disk.pending).isEmpty();
      assertThat(bench.engine.pending()).isZero();
      assertThat(committed).containsAll(messages.stream().map(message -> message.id).toList());
      for (Message message : messages) {
        if (message.exactly) {
          assertThat(committed).containsOnlyOnce(message.id);
          assertThat(bench.disk.outgoing.values().stream()
              .filter(out -> new String(out.output().body()).equals(message.id)).count()).isLessThanOrEqualTo(1);
        }
      }
      for (int i = 0; i < ORDERS; i++) {
        String order = "t" + i;
        List<String> expected = messages.stream().filter(m -> m.order.equals(order)).map(m -> m.id).toList();
        Set<String> first = new LinkedHashSet<>(committed);
        first.retainAll(expected);
        assertThat(first).containsExactlyElementsOf(expected);
      }
    }
  }
}

package io.weir.journal.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.Acceptance;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.DeadLetter;
import io.weir.invocation.InvocationJournal.Outgoing;
import io.weir.invocation.KeptOutcome;
import java.io.Closeable;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers what is kept. Thread-safe: it asks the index where things are under its monitor and keeps their files there
 * while it reads them without.
 */
final class Reader {
  private static final Logger LOG = LoggerFactory.getLogger(Reader.class);

  private final Index index;

  Reader(Index index) {
    this.index = index;
  }

  static Acceptance known(Index index, long number) {
    Optional<Index.Event> event = index.find(number);
    if (event.isEmpty()) {
      return new Acceptance.Done(number, index.done(number).map(done -> outcome(done.ref()))
          .orElseGet(() -> new KeptOutcome(0, List.of(), new byte[0], "the outcome was forgotten")));
    }
    Ref dead = event.get().dead;
    if (dead == null) {
      return new Acceptance.Pending(number, event.get().attempts);
    }
    try {
      Fact.Dead why = (Fact.Dead) dead.fact();
      return new Acceptance.Dead(number, why.reason(), why.detail());
    } catch (Damaged e) {
      return new Acceptance.Dead(number, "unknown", String.valueOf(e.getMessage()));
    }
  }

  private static KeptOutcome outcome(Ref ref) {
    try {
      return ((Fact.Done) ref.fact()).outcome();
    } catch (Damaged e) {
      return new KeptOutcome(0, List.of(), new byte[0], "the outcome cannot be read any more: " + e.getMessage());
    }
  }

  Optional<Acceptance> find(FunctionName function, String key) {
    Index.Key which = new Index.Key(function, key);
    try (Files files = new Files()) {
      Optional<Long> number;
      synchronized (index) {
        number = index.number(which);
        number.ifPresent(known -> {
          index.find(known).map(event -> event.dead).ifPresent(files::keep);
          index.done(known).map(Index.Done::ref).ifPresent(files::keep);
        });
        if (number.isPresent() && index.isPending(number.get())) {
          return Optional.of(known(index, number.get()));
        }
      }
      return number.map(known -> known(index, known));
    }
  }

  List<Accepted> pending(long after, int limit) {
    return read(() -> index.pending(after, limit), event -> Stream.of(event.ref), event -> {
      Fact.Accepted fact = (Fact.Accepted) event.ref.fact();
      return new Accepted(event.number, Instant.ofEpochMilli(fact.at()), fact.entry(), event.attempts);
    });
  }

  List<DeadLetter> deadLetters(long after, int limit) {
    return read(() -> index.dead(after, limit), event -> Stream.ofNullable(event.dead).mapMulti((dead, to) -> {
      to.accept(dead);
      to.accept(event.ref);
    }), event -> {
      Fact.Accepted fact = (Fact.Accepted) event.ref.fact();
      Ref dead = event.dead;
      Fact.@Nullable Dead why = dead == null ? null : (Fact.Dead) dead.fact();
      return new DeadLetter(event.number, Instant.ofEpochMilli(why == null ? fact.at() : why.at()), fact.entry(),
          why == null ? "" : why.reason(), why == null ? "" : why.detail(), event.attempts);
    });
  }

  List<Outgoing> outgoing(String channel, long after, int limit) {
    record Sight(Index.Out out, Ref ref, boolean received) {}
    return read(() -> index.outgoing(channel, after, limit).stream()
        .map(out -> new Sight(out, out.ref, out.received)).toList(), sight -> Stream.of(sight.ref), sight -> {
          Fact.Output fact = (Fact.Output) sight.ref.fact();
          return new Outgoing(fact.number(), fact.event(), fact.function(), fact.output(), sight.received);
        });
  }

  Optional<byte[]> state(FunctionName function, String key, long now) {
    return read(() -> index.value(function, key).filter(value -> !value.isOver(now)).stream().toList(),
        value -> Stream.of(value.ref()), value -> ((Fact.Put) value.ref().fact()).value()).stream().findFirst();
  }

  /** What cannot be read any more is told and left out. */
  private <S, T> List<T> read(Supplier<? extends Collection<S>> sight, Function<S, Stream<Ref>> where,
      Function<S, T> look) {
    try (Files files = new Files()) {
      Collection<S> seen;
      synchronized (index) {
        seen = sight.get();
        seen.forEach(each -> where.apply(each).forEach(files::keep));
      }
      List<T> found = new ArrayList<>();
      for (S each : seen) {
        try {
          found.add(look.apply(each));
        } catch (Damaged e) {
          LOG.error("an entry of the journal is lost", e);
        }
      }
      return found;
    }
  }

  /** Files that are kept readable for a while. */
  private static final class Files implements Closeable {
    private final Map<Segment, Closeable> kept = new HashMap<>();

    void keep(Ref ref) {
      kept.computeIfAbsent(ref.segment(), Segment::reading);
    }

    @Override
    public void close() {
      kept.values().forEach(file -> {
        try {
          file.close();
        } catch (IOException e) {
          LOG.debug("a segment does not close", e);
        }
      });
    }
  }
}

package io.weir.delivery.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.weir.event.Events;
import io.weir.event.GatewayEvent;
import io.weir.function.FunctionName;
import io.weir.function.FunctionRegistry;
import io.weir.function.FunctionSpec;
import io.weir.function.Limits;
import io.weir.function.Problem;
import io.weir.function.Promise;
import io.weir.function.Promise.Level;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.Trigger;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Answers;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Invocation;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.InvocationJournal.Output;
import io.weir.invocation.Invoker;
import io.weir.invocation.KeptOutcome;
import io.weir.invocation.Outcome;
import io.weir.invocation.Payload;
import io.weir.invocation.StateAttempts;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A world of one thread in which nothing happens by itself: time, disk and functions do as the test says. */
final class Bench {
  static final FunctionName NAME = new FunctionName("f");

  /** A call the function has and has not answered. */
  record Call(Invocation invocation, int number, Predicate<Outcome> again, CompletableFuture<Outcome> outcome) {
    String id() {
      return invocation.id();
    }

    void answer(int status) {
      end(new Outcome.Replied(status, List.of(), new Outcome.Body() {
        @Override
        public InputStream stream() {
          return new ByteArrayInputStream(invocation.id().getBytes(UTF_8));
        }

        @Override
        public long length() {
          return -1;
        }

        @Override
        public void close() {}
      }, Duration.ZERO, Duration.ZERO));
    }

    void end(Outcome how) {
      again.test(how);
      outcome.complete(how);
    }
  }

  private record Task(long at, long order, Runnable run) {}

  final MemoryJournal.Disk disk;
  MemoryJournal journal;
  Engine engine;
  final List<Call> calls = new ArrayList<>();
  final List<GatewayEvent> told = new ArrayList<>();
  final List<String> died = new ArrayList<>();
  @org.jspecify.annotations.Nullable StateAttempts states;
  boolean answering = true;
  Optional<FunctionSpec> function = Optional.of(spec(2, 4));
  Settings settings = new Settings(32, 1000, 1 << 20, Duration.ofMillis(200), Duration.ofSeconds(30), 10,
      Duration.ofSeconds(60));
  private final PriorityQueue<Task> tasks = new PriorityQueue<>((a, b) ->
      a.at() == b.at() ? Long.compare(a.order(), b.order()) : Long.compare(a.at(), b.at()));
  private final ArrayDeque<Runnable> reads = new ArrayDeque<>();
  private long now = 1_000_000_000;
  private long order;

  Bench() {
    this(new MemoryJournal.Disk());
  }

  Bench(MemoryJournal.Disk disk) {
    this.disk = disk;
  }

  static FunctionSpec spec(int instances, int concurrency, Trigger... triggers) {
    return new FunctionSpec(NAME, new Source.Image("localhost/f:1"), 8080, List.of(triggers), Optional.empty(),
        new Limits(64 << 20, 1, 64), new Scaling(0, instances, concurrency, Duration.ofMinutes(1)),
        Duration.ofSeconds(30), Map.of());
  }

  static Trigger alarms() {
    return new Trigger.Mqtt(new TopicFilter("alarms"), 1, "/", false, new Promise(Level.AT_LEAST_ONCE,
        Promise.Order.TOPIC, Promise.Retry.DEFAULT, Promise.Urgency.ALARM));
  }

  /** Starts an engine on the disk, as a process would. */
  Bench start() {
    journal = new MemoryJournal(disk);
    journal.eager = true;
    calls.clear();
    tasks.clear();
    reads.clear();
    World world = new World(journal, new Functions(), new Registry(), new Told(), settings, () -> states, clock(), () -> now,
        bound -> bound - 1, (delay, task) -> tasks.add(new Task(now + delay.toNanos(), order++, task)), reads::add);
    engine = new Engine(world);
    engine.begin();
    if (answering) {
      beginAnswering();
    }
    read();
    return this;
  }

  /** The gateway that brought the events is there. */
  void beginAnswering() {
    engine.add(new Echo());
  }

  private Clock clock() {
    return new Clock() {
      @Override
      public ZoneOffset getZone() {
        return ZoneOffset.UTC;
      }

      @Override
      public Clock withZone(java.time.ZoneId zone) {
        return this;
      }

      @Override
      public Instant instant() {
        return Instant.ofEpochSecond(0, now);
      }
    };
  }

  /** Does what waits for the disk to be read. */
  void read() {
    for (Runnable next = reads.poll(); next != null; next = reads.poll()) {
      next.run();
    }
  }

  /** Lets time pass, and what is due with it happen in its order. */
  void pass(Duration time) {
    long until = now + time.toNanos();
    while (!tasks.isEmpty() && tasks.peek().at() <= until) {
      Task task = tasks.remove();
      now = Math.max(now, task.at());
      task.run().run();
      read();
    }
    now = until;
  }

  CompletionStage<Acceptance> accept(String id, String order, Promise promise, Optional<String> key) {
    Invocation invocation = new Invocation(id, NAME, "mqtt", order, "POST", "/", List.of(),
        Payload.of(id.getBytes(UTF_8)), clock().instant(), Guarantee.AT_LEAST_ONCE, false);
    return engine.accept(new Entry(invocation, key, order, List.of()), promise);
  }

  void accept(String id, String order) {
    accept(id, order, new Promise(Level.AT_LEAST_ONCE), Optional.empty());
  }

  /** The call for an event that the function has now. */
  Call call(String id) {
    return calls.stream().filter(call -> call.id().equals(id)).findFirst()
        .orElseThrow(() -> new AssertionError(id + " is not among " + working()));
  }

  void answer(String id, int status) {
    Call call = call(id);
    calls.remove(call);
    call.answer(status);
    read();
  }

  void end(String id, Outcome outcome) {
    Call call = call(id);
    calls.remove(call);
    call.end(outcome);
    read();
  }

  List<String> working() {
    return calls.stream().map(Call::id).toList();
  }

  /** The ids of what has ended well, in the order in which that was kept. */
  List<String> committed() {
    return disk.committed.stream().map(number -> disk.taken.get(number).invocation().id()).toList();
  }

  private final class Functions implements Invoker {
    @Override
    public CompletionStage<Outcome> invoke(Invocation invocation) {
      throw new AssertionError("the engine makes attempts");
    }

    @Override
    public CompletionStage<Outcome> attempt(Invocation invocation, int number, Predicate<Outcome> again) {
      Call call = new Call(invocation, number, again, new CompletableFuture<>());
      calls.add(call);
      return call.outcome();
    }
  }

  /** Sends every answer on. */
  private final class Echo implements Answers {
    @Override
    public String trigger() {
      return "mqtt";
    }

    @Override
    public Ending ending(Entry entry, Outcome.Replied reply) {
      return new Ending(new KeptOutcome(reply.status(), List.of(), new byte[0], ""),
          List.of(new Output("mqtt", "out", entry.order(), List.of(), entry.invocation().id().getBytes(UTF_8))));
    }

    @Override
    public void died(Accepted event, String reason, String detail) {
      died.add(event.entry().invocation().id() + " " + reason);
    }
  }

  private final class Registry implements FunctionRegistry {
    @Override
    public List<FunctionSpec> functions() {
      return function.stream().toList();
    }

    @Override
    public Optional<FunctionSpec> find(FunctionName name) {
      return function;
    }

    @Override
    public Optional<String> origin(FunctionName name) {
      return Optional.empty();
    }

    @Override
    public List<Problem> problems() {
      return List.of();
    }

    @Override
    public List<FunctionSpec> declare(String yaml, String source, Map<String, String> files) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean remove(FunctionName name) {
      throw new UnsupportedOperationException();
    }
  }

  private final class Told implements Events {
    @Override
    public void publish(GatewayEvent event) {
      told.add(event);
    }

    @Override
    public List<GatewayEvent> recent() {
      return List.copyOf(told);
    }

    @Override
    public AutoCloseable subscribe(Consumer<GatewayEvent> listener) {
      return () -> {};
    }

    @Override
    public Map<String, Long> counters() {
      return Map.of();
    }
  }
}

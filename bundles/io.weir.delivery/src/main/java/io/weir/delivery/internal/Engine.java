package io.weir.delivery.internal;

import io.weir.function.FunctionName;
import io.weir.function.Promise;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Answers;
import io.weir.invocation.InvocationJournal.Accepted;
import io.weir.invocation.InvocationJournal.Entry;
import io.weir.invocation.JournalFull;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which events are pending, and whose they are. Thread-safe. */
final class Engine {
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);
  private static final int PAGE = 16;
  private static final Duration LOOK = Duration.ofSeconds(5);

  private final World world;
  private final Map<FunctionName, FunctionCourier> functions = new ConcurrentHashMap<>();
  private final Map<String, Answers> answers = new ConcurrentHashMap<>();
  /** Pending events that are in hand, by number. */
  private final Map<Long, Item> known = new ConcurrentHashMap<>();
  /** Events whose trigger has nobody who answers, by trigger; guarded by itself. */
  private final Map<String, List<Item>> homeless = new HashMap<>();
  private final AtomicLong held = new AtomicLong();
  /** Of the reader. */
  private long seen;
  /** Whether all that earlier processes left behind is known: nothing may overtake it. */
  private volatile boolean recovered;
  private volatile boolean closed;

  Engine(World world) {
    this.world = world;
  }

  void begin() {
    world.reader().execute(this::recover);
  }

  void close() {
    closed = true;
  }

  // --- accepting -----------------------------------------------------------------------------------------------------

  CompletionStage<Acceptance> accept(Entry entry, Promise promise) {
    FunctionCourier function = function(entry.invocation().function());
    int most = world.settings().maxWaiting();
    if (!function.queue().reserve(most)) {
      return CompletableFuture.failedStage(new JournalFull(JournalFull.Reason.FUNCTION, most + " events of "
          + entry.invocation().function() + " wait already"));
    }
    Entry noted = Terms.write(entry, promise);
    CompletionStage<Acceptance> accepting;
    try {
      accepting = world.journal().accept(noted);
    } catch (RuntimeException e) {
      function.queue().leave();
      throw e;
    }
    return accepting.whenComplete((acceptance, error) -> {
      if (error == null && acceptance instanceof Acceptance.Taken taken
          && take(function, new Accepted(taken.number(), noted.invocation().arrived(), noted, 0))) {
        pump(function);
      } else {
        function.queue().leave();
      }
    });
  }

  /** Whether it was not in hand already. */
  private boolean take(FunctionCourier function, Accepted event) {
    Item item = new Item(event, function.name(), held.get() + Item.size(event) <= world.settings().memory());
    if (known.putIfAbsent(event.number(), item) != null) {
      return false;
    }
    held.addAndGet(item.bytes);
    place(function, item);
    return true;
  }

  private void place(FunctionCourier function, Item item) {
    synchronized (homeless) {
      if (!answers.containsKey(item.trigger)) {
        homeless.computeIfAbsent(item.trigger, trigger -> new ArrayList<>()).add(item);
        return;
      }
    }
    function.queue().add(item);
  }

  private void pump(FunctionCourier function) {
    if (recovered && !closed) {
      function.pump();
    }
  }

  private FunctionCourier function(FunctionName name) {
    return functions.computeIfAbsent(name,
        absent -> new FunctionCourier(absent, world, this::answers, item -> evicted(absent, item), this::ended));
  }

  private @Nullable Answers answers(String trigger) {
    return closed ? null : answers.get(trigger);
  }

  private void ended(Item item) {
    known.remove(item.number);
    held.addAndGet(-item.bytes);
  }

  // --- who answers ---------------------------------------------------------------------------------------------------

  void add(Answers service) {
    List<Item> found;
    synchronized (homeless) {
      answers.put(service.trigger(), service);
      List<Item> waiting = homeless.remove(service.trigger());
      found = waiting == null ? List.of() : waiting;
    }
    found.forEach(item -> place(function(item.function), item));
    functions.values().forEach(this::pump);
  }

  void remove(Answers service) {
    answers.remove(service.trigger(), service);
  }

  private void evicted(FunctionName name, Item item) {
    FunctionCourier function = function(name);
    function.queue().reserve(Integer.MAX_VALUE);
    place(function, item);
  }

  // --- what others accepted, before or beside us ---------------------------------------------------------------------

  private void recover() {
    if (closed) {
      return;
    }
    try {
      int found = sweep();
      recovered = true;
      if (found > 0) {
        LOG.info("going on with {} events that were accepted before", found);
      }
      functions.values().forEach(this::pump);
      world.timer().after(LOOK, this::lookAgain);
    } catch (RuntimeException e) {
      LOG.warn("the journal cannot be read now; tried again", e);
      world.timer().after(LOOK, () -> world.reader().execute(this::recover));
    }
  }

  private void lookAgain() {
    if (closed) {
      return;
    }
    look();
    world.timer().after(LOOK, this::lookAgain);
  }

  void look() {
    world.reader().execute(() -> {
      if (recovered && !closed && world.journal().usage().pending() > known.size()) {
        sweep();
        functions.values().forEach(this::pump);
      }
    });
  }

  /** Takes up what is pending and not in hand; how many that were. */
  private int sweep() {
    int found = 0;
    List<Accepted> page;
    do {
      page = world.journal().pending(seen, PAGE);
      for (Accepted event : page) {
        FunctionCourier function = function(event.entry().invocation().function());
        function.queue().reserve(Integer.MAX_VALUE);
        if (take(function, event)) {
          found++;
        } else {
          function.queue().leave();
        }
        seen = event.number();
      }
    } while (!page.isEmpty());
    return found;
  }

  // --- what operators see --------------------------------------------------------------------------------------------

  int pending() {
    return known.size();
  }

  String problem(FunctionName name) {
    FunctionCourier function = functions.get(name);
    return function == null ? "" : function.problem();
  }

  List<FunctionName> leftAlone() {
    return functions.entrySet().stream().filter(entry -> entry.getValue().queue().leftAlone()).map(Map.Entry::getKey)
        .sorted().toList();
  }

  /** Events by trigger that nobody answers. */
  @Nullable String homeless() {
    synchronized (homeless) {
      return homeless.isEmpty() ? null : String.join(", ", homeless.keySet());
    }
  }
}

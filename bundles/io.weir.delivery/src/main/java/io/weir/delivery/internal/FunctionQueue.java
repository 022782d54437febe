package io.weir.delivery.internal;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The pending events of one function: which one may start next. Decides only, and calls nobody, so it is whole between
 * any two calls. Thread-safe; times are of the nanosecond clock.
 */
final class FunctionQueue {
  /** How many alarms may go before one that is none and waits. */
  private static final int ALARMS_IN_A_ROW = 7;

  /**
   * How many events the function may have.
   *
   * @param all events at a time
   * @param others of these at most, if they are no alarms
   */
  record Window(int all, int others) {}

  /** Events that wait for each other; the first is in work, or the next to be. */
  private static final class Line {
    final Item.Order order;
    final ArrayDeque<Item> items = new ArrayDeque<>();
    boolean busy;

    Line(Item.Order order) {
      this.order = order;
    }
  }

  private final Breaker breaker;
  private final Map<Item.Order, Line> lines = new HashMap<>();
  private final TreeMap<Long, Item> alarms = new TreeMap<>();
  private final TreeMap<Long, Item> others = new TreeMap<>();
  private final PriorityQueue<Item> delayed =
      new PriorityQueue<>((a, b) -> a.notBefore == b.notBefore ? Long.compare(a.number, b.number)
          : Long.signum(a.notBefore - b.notBefore));
  private int size;
  private int active;
  private int activeOthers;
  private int alarmsInARow;
  private boolean paused;
  private long pausedUntil;
  /** When what is ready may start although nothing else has happened; empty: never. */
  private OptionalLong heldUntil = OptionalLong.empty();

  FunctionQueue(Breaker breaker) {
    this.breaker = breaker;
  }

  // --- how many ------------------------------------------------------------------------------------------------------

  /** Makes room for one more event, unless there are so many. */
  synchronized boolean reserve(int most) {
    if (size >= most) {
      return false;
    }
    size++;
    return true;
  }

  /** An event needs no room any more: it has ended, or never began. */
  synchronized void leave() {
    size--;
  }

  synchronized int size() {
    return size;
  }

  // --- one event -----------------------------------------------------------------------------------------------------

  /** An event that has room. */
  synchronized void add(Item item) {
    Line line = lines.computeIfAbsent(item.order, Line::new);
    item.order = line.order;
    ArrayDeque<Item> items = line.items;
    if (items.isEmpty() || items.peekLast().number < item.number) {
      items.add(item);
      if (items.size() == 1 && !line.busy) {
        offer(item);
      }
      return;
    }
    // Somebody else's, found late: it takes the place its number gives it, but not that of one that has begun.
    Item first = items.peek();
    TreeMap<Long, Item> sorted = new TreeMap<>();
    if (line.busy) {
      items.remove();
    } else {
      withdraw(first);
    }
    items.forEach(each -> sorted.put(each.number, each));
    sorted.put(item.number, item);
    items.clear();
    if (line.busy) {
      items.add(first);
    }
    items.addAll(sorted.values());
    if (!line.busy) {
      offer(items.element());
    }
  }

  private void offer(Item item) {
    (item.alarm() ? alarms : others).put(item.number, item);
  }

  private void withdraw(Item item) {
    delayed.remove(item);
    (item.alarm() ? alarms : others).remove(item.number);
  }

  /** The next that may start now, which counts as in work from now on. */
  synchronized @Nullable Item next(Window window, long now) {
    for (Item item = delayed.peek(); item != null && item.notBefore - now <= 0; item = delayed.peek()) {
      offer(delayed.remove());
    }
    paused &= pausedUntil - now > 0;
    heldUntil = paused ? OptionalLong.of(pausedUntil)
        : breaker.lets(now) || breaker.asking() ? OptionalLong.empty() : OptionalLong.of(breaker.until());
    if (paused || active >= window.all() || !breaker.lets(now)) {
      return null;
    }
    boolean other = !others.isEmpty() && activeOthers < window.others();
    boolean alarm = !alarms.isEmpty() && !(other && alarmsInARow >= ALARMS_IN_A_ROW);
    if (!other && !alarm) {
      return null;
    }
    alarmsInARow = alarm && other ? alarmsInARow + 1 : 0;
    Item item = (alarm ? alarms : others).pollFirstEntry().getValue();
    lines.get(item.order).busy = true;
    active++;
    activeOthers += alarm ? 0 : 1;
    breaker.started();
    return item;
  }

  /** The function has nothing to do with it any more. */
  private void rest(Item item) {
    active--;
    activeOthers -= item.alarm() ? 0 : 1;
  }

  /** The function answered; its line stays where it is. Whether the function had been left alone. */
  synchronized boolean answered(Item item) {
    rest(item);
    return breaker.succeeded();
  }

  /** It failed for good; its line stays where it is. Whether the function is left alone from now on. */
  synchronized boolean failed(Item item, long now) {
    rest(item);
    return breaker.failed(now);
  }

  /** It failed, and is tried again then. Whether the function is left alone from now on. */
  synchronized boolean again(Item item, long notBefore, long now) {
    rest(item);
    item.notBefore = notBefore;
    lines.get(item.order).busy = false;
    delayed.add(item);
    return breaker.failed(now);
  }

  /** It is tried again then, and neither failed nor succeeded. */
  synchronized void afresh(Item item, long notBefore) {
    rest(item);
    breaker.undecided();
    item.notBefore = notBefore;
    lines.get(item.order).busy = false;
    delayed.add(item);
  }

  /** It was not tried, and none shall be until then. */
  synchronized void refused(Item item, long until) {
    rest(item);
    breaker.undecided();
    lines.get(item.order).busy = false;
    offer(item);
    paused = true;
    pausedUntil = until;
  }

  /** The next of its line may start; the event itself is out of the way. */
  synchronized void advance(Item item) {
    Line line = lines.get(item.order);
    line.items.remove();
    line.busy = false;
    if (line.items.isEmpty()) {
      lines.remove(item.order);
    } else {
      offer(line.items.element());
    }
  }

  /** It was not tried, and somebody else has it now. */
  synchronized void withdrawn(Item item) {
    rest(item);
    breaker.undecided();
    advance(item);
    size--;
  }

  // --- when ----------------------------------------------------------------------------------------------------------

  /** How long after {@link #next} found nothing to look again, if nothing else happens. */
  synchronized OptionalLong wake(long now) {
    long earliest = delayed.isEmpty() ? Long.MAX_VALUE : delayed.element().notBefore - now;
    if (heldUntil.isPresent() && !(alarms.isEmpty() && others.isEmpty())) {
      earliest = Math.min(earliest, heldUntil.getAsLong() - now);
    }
    return earliest == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(Math.max(0, earliest));
  }

  synchronized boolean leftAlone() {
    return breaker.open();
  }
}

package io.weir.journal.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.Acceptance;
import io.weir.journal.internal.Index.Key;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Changes that are to be written as one group, and what they make of the index before they are. */
final class Batch {
  private final Index index;
  private final List<Fact> facts = new ArrayList<>();
  private final List<Log.Record> records = new ArrayList<>();
  private final Map<Key, Long> taken = new HashMap<>();
  private final Set<Key> forgotten = new HashSet<>();
  private final Map<Long, Acceptance> ended = new HashMap<>();
  private final Map<Long, Integer> attempts = new HashMap<>();
  private final Set<Long> settled = new HashSet<>();
  private final Set<Long> dropped = new HashSet<>();
  private final Map<FunctionName, Long> growth = new HashMap<>();
  private final Map<FunctionName, Long> stateGrowth = new HashMap<>();
  private long totalGrowth;
  private long bytes;
  private boolean depends;

  Batch(Index index) {
    this.index = index;
  }

  Index index() {
    return index;
  }

  void begin() {
    depends = false;
  }

  boolean end() {
    return depends;
  }

  /** Adds facts that count together or not at all. */
  void add(List<Fact> change, List<byte[]> payloads) {
    depends = true;
    for (int i = 0; i < change.size(); i++) {
      int flags = (i == 0 ? Layout.FIRST : 0) | (i < change.size() - 1 ? Layout.CONTINUED : 0);
      Log.Record each = new Log.Record(FactCodec.type(change.get(i)), flags, payloads.get(i));
      facts.add(change.get(i));
      records.add(each);
      bytes += each.bytes();
    }
  }

  void add(List<Fact> change) {
    add(change, change.stream().map(FactCodec::encode).toList());
  }

  void grow(FunctionName function, long by) {
    growth.merge(function, by, Long::sum);
    totalGrowth += by;
  }

  long growth() {
    return totalGrowth;
  }

  long growth(FunctionName function) {
    return growth.getOrDefault(function, 0L);
  }

  void growState(FunctionName function, long by) {
    stateGrowth.merge(function, by, Long::sum);
    grow(function, by);
  }

  long stateGrowth(FunctionName function) {
    return stateGrowth.getOrDefault(function, 0L);
  }

  /** The event of this batch or before it that has a key. */
  Optional<Long> number(Key key) {
    Long mine = taken.get(key);
    if (mine != null) {
      depends = true;
      return Optional.of(mine);
    }
    if (forgotten.contains(key)) {
      depends = true;
      return Optional.empty();
    }
    return index.number(key);
  }

  void take(Key key, long number) {
    taken.put(key, number);
  }

  void forget(Key key) {
    taken.remove(key);
    forgotten.add(key);
  }

  /** How an event ended in this batch. */
  Optional<Acceptance> ended(long number) {
    Acceptance how = ended.get(number);
    depends |= how != null;
    return Optional.ofNullable(how);
  }

  boolean isPending(long number) {
    return ended(number).isEmpty() && index.isPending(number);
  }

  void end(long number, Acceptance how) {
    ended.put(number, how);
  }

  void attempt(long number, int used) {
    attempts.put(number, used);
  }

  /** Attempts of an event that is pending because of this batch, or has used them up in it. */
  Optional<Integer> attempts(long number) {
    Integer used = attempts.get(number);
    depends |= used != null;
    return used != null ? Optional.of(used) : taken.containsValue(number) ? Optional.of(0) : Optional.empty();
  }

  /** Whether an output was still to be sent; from now on it is not. */
  boolean settle(long output) {
    boolean was = isOutgoing(output);
    settled.add(output);
    return was;
  }

  boolean isOutgoing(long output) {
    if (settled.contains(output)) {
      depends = true;
      return false;
    }
    return index.out(output).isPresent();
  }

  /** Whether there was such a dead letter; from now on there is not. */
  boolean drop(long event) {
    if (dropped.contains(event)) {
      depends = true;
      return false;
    }
    dropped.add(event);
    return index.isDead(event);
  }

  boolean isEmpty() {
    return records.isEmpty();
  }

  long bytes() {
    return bytes;
  }

  List<Fact> facts() {
    return facts;
  }

  List<Log.Record> records() {
    return records;
  }
}

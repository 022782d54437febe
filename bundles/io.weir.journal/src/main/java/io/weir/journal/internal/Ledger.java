package io.weir.journal.internal;

import io.weir.function.FunctionName;
import io.weir.invocation.JournalFull;
import io.weir.invocation.JournalUnavailable;
import io.weir.journal.internal.Log.NoRoom;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what is asked for: decides, writes a group, makes the index follow, answers. The writing thread calls it; of
 * the rest of the journal only {@link Index} and the segments are shared with others.
 */
final class Ledger {
  private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);
  private static final long SWEEP_MILLIS = 60_000;
  private static final long RETRY_MILLIS = 1000;

  /** It was tried a moment ago. */
  private static final class StillFailing extends IOException {
    private static final long serialVersionUID = 1L;

    StillFailing(String failure) {
      super(failure);
    }
  }

  private final Settings settings;
  private final LongSupplier clock;
  private final Index index;
  private final Log log;
  private final Cleaner cleaner;
  private final Report report;
  private final BiConsumer<Set<String>, String> told;
  private final Map<FunctionName, Long> suppressed = new LinkedHashMap<>();
  private final List<Fact.Deleted> over = new ArrayList<>();
  private final List<Log.Record> uncarried = new ArrayList<>();
  private long nextNumber;
  private long swept;
  private volatile String failure = "";
  private long failedAt;

  final LongAdder duplicates = new LongAdder();
  final LongAdder refused = new LongAdder();

  /**
   * Opens what is in the folder.
   *
   * @param told hears of channels that have new outputs, and of what the operator should know now; both may be empty
   * @throws IOException if the folder cannot be read
   */
  Ledger(Settings settings, FileSystem files, LongSupplier clock, LongSupplier random, Report report,
      BiConsumer<Set<String>, String> told) throws IOException {
    this.settings = settings;
    this.clock = clock;
    this.report = report;
    this.told = told;
    Recovery.Result found = new Recovery(files, report).run();
    this.index = found.index();
    this.nextNumber = index.highest() + 1;
    this.log = new Log(files, settings.segmentBytes(), random, clock, () -> nextNumber);
    log.found(found.segments(), found.spares(), found.highestSegment(), found.nextSequence(), found.hash(),
        found.lastTime());
    this.cleaner = new Cleaner(index, log);
    if (clock.getAsLong() < found.lastTime() - 1000) {
      String late = "the clock is " + (found.lastTime() - clock.getAsLong()) / 1000
          + " s behind the last entry; what is kept for a time is kept for longer";
      report.add(late);
      LOG.warn("{}: {}", files, late);
    }
    found.tail().ifPresent(this::carry);
    remember();
    rescue();
  }

  Cleaner cleaner() {
    return cleaner;
  }

  Index index() {
    return index;
  }

  Log log() {
    return log;
  }

  Settings settings() {
    return settings;
  }

  long now() {
    return clock.getAsLong();
  }

  /** Why nothing can be written; empty: it can, as far as anybody knows. */
  String failure() {
    return failure;
  }

  long takeNumber() {
    return nextNumber++;
  }

  void suppress(FunctionName function) {
    suppressed.merge(function, 1L, Long::sum);
    duplicates.increment();
  }

  // --- at the start --------------------------------------------------------------------------------------------------

  private void carry(Recovery.Tail tail) {
    List<Fact> facts = new ArrayList<>();
    List<Ref> before = new ArrayList<>();
    for (List<Layout.Found> change : tail.group().changes()) {
      for (Layout.Found found : change) {
        byte[] payload = new byte[found.length()];
        tail.group().payload(found).get(payload);
        try {
          facts.add(tail.group().fact(found));
          uncarried.add(new Log.Record(found.type(), found.flags(), payload));
          before.add(tail.group().ref(tail.segment(), found));
        } catch (Damaged e) {
          LOG.warn("a record of the last group cannot be carried over", e);
        }
      }
    }
    facts.forEach(this::passNumber);
    try {
      carryOver();
    } catch (IOException | NoRoom e) {
      failed(e);
      Segment.Extent whole = tail.whole();
      if (whole != null) {
        // It can still be read, which is all that can be said of anything here.
        uncarried.clear();
        log.trust(tail, whole);
        apply(facts, before);
      }
    }
  }

  /** Writes what the last group of before said, if that is not done yet. */
  private void carryOver() throws IOException, NoRoom {
    if (!uncarried.isEmpty()) {
      List<Ref> refs = log.append(uncarried, true);
      for (int i = 0; i < refs.size(); i++) {
        index.apply(FactCodec.decode(uncarried.get(i).type(), ByteBuffer.wrap(uncarried.get(i).payload())), refs.get(i));
      }
      uncarried.clear();
    }
  }

  private void passNumber(Fact fact) {
    long number = fact instanceof Fact.Accepted accepted ? accepted.number()
        : fact instanceof Fact.Output output ? output.number() : 0;
    nextNumber = Math.max(nextNumber, number + 1);
  }

  /** Writes again what is in files that are damaged or could not be written, so that it does not depend on them. */
  private void rescue() {
    try {
      while (cleaner.isUrgent()) {
        cleaner.step(Integer.MAX_VALUE);
      }
    } catch (IOException | NoRoom e) {
      failed(e);
    }
  }

  // --- every turn ----------------------------------------------------------------------------------------------------

  /** Does what was asked for, in this order, and answers. */
  void process(List<? extends Request<?>> requests) {
    Batch batch = new Batch(index);
    List<Request<?>> decided = new ArrayList<>();
    for (Request<?> request : requests) {
      if (!batch.isEmpty() && batch.bytes() + request.bytes() > log.largest()) {
        write(batch, decided);
        batch = new Batch(index);
        decided.clear();
      }
      decide(request, batch, decided);
    }
    write(batch, decided);
    remember();
    sweep();
  }

  private void decide(Request<?> request, Batch batch, List<Request<?>> decided) {
    try {
      request.decide(batch);
      decided.add(request);
    } catch (JournalFull e) {
      refused.increment();
      request.fail(e);
    } catch (RuntimeException e) {
      request.fail(e);
    }
  }

  private void write(Batch batch, List<Request<?>> decided) {
    boolean grows = decided.stream().anyMatch(request -> request.grows() && request.depends());
    try {
      append(batch, !grows);
    } catch (NoRoom e) {
      withoutGrowth(decided, e);
      return;
    } catch (IOException e) {
      if (!(e instanceof StillFailing)) {
        failed(e);
      }
      RuntimeException why = new JournalUnavailable("the journal cannot be written: " + e.getMessage(), e);
      decided.forEach(request -> {
        if (request.depends()) {
          request.fail(why);
        } else {
          request.answer();
        }
      });
      return;
    }
    decided.forEach(Request::answer);
  }

  private void append(Batch batch, boolean reserve) throws IOException, NoRoom {
    if (batch.isEmpty()) {
      return;
    }
    // First, since a value whose time was over may be set anew by this very group.
    List<Fact> facts = new ArrayList<>(over);
    suppressed.forEach((function, count) -> facts.add(new Fact.Suppressed(function, count)));
    List<Log.Record> records = new ArrayList<>(facts.stream()
        .map(fact -> new Log.Record(FactCodec.type(fact), Layout.FIRST, FactCodec.encode(fact))).toList());
    facts.addAll(batch.facts());
    records.addAll(batch.records());
    if (!failure.isEmpty() && Math.abs(clock.getAsLong() - failedAt) < RETRY_MILLIS) {
      throw new StillFailing(failure);
    }
    carryOver();
    makeRoom();
    List<Ref> refs = log.append(records, reserve);
    over.clear();
    suppressed.clear();
    apply(facts, refs);
    if (!failure.isEmpty()) {
      failure = "";
      LOG.info("the journal can be written again");
      told.accept(Set.of(), "writable again");
    }
    Set<String> channels = new HashSet<>();
    batch.facts().forEach(fact -> {
      if (fact instanceof Fact.Output output) {
        channels.add(output.output().channel());
      }
    });
    if (!channels.isEmpty()) {
      told.accept(channels, "");
    }
  }

  private void apply(List<Fact> facts, List<Ref> refs) {
    for (int i = 0; i < facts.size(); i++) {
      index.apply(facts.get(i), refs.get(i));
    }
  }

  /** The disk is full: frees the oldest segment if that gains room, or else writes only what ends something. */
  private void withoutGrowth(List<Request<?>> decided, NoRoom why) {
    List<Request<?>> remaining = new ArrayList<>(decided);
    if (!cleaner.gain()) {
      LOG.warn("there is no room on the disk for more than what was accepted: {}", why.getMessage());
      JournalFull full = new JournalFull(JournalFull.Reason.DISK, "the disk has no room: " + why.getMessage());
      remaining.removeIf(request -> {
        boolean refuse = request.grows() && request.depends();
        if (refuse) {
          refused.increment();
          request.fail(full);
        }
        return refuse;
      });
    }
    Batch batch = new Batch(index);
    List<Request<?>> again = new ArrayList<>();
    remaining.forEach(request -> decide(request, batch, again));
    write(batch, again);
  }

  private void failed(Exception why) {
    String now = String.valueOf(why.getMessage());
    failedAt = clock.getAsLong();
    if (failure.isEmpty()) {
      LOG.error("the journal cannot be written; nothing more is accepted until it can", why);
      told.accept(Set.of(), "cannot be written: " + now);
    }
    failure = now;
  }

  /** Segments beyond what is allowed are freed before more is written. */
  private void makeRoom() throws IOException, NoRoom {
    for (int i = log.segments().size(); i > 0 && log.segments().size() > settings.segments(); i--) {
      cleaner.finishOldest();
    }
    for (int i = log.segments().size(); i > 0 && log.isShort() && cleaner.gain(); i--) {
      LOG.debug("a segment was freed, because the disk is full");
    }
  }

  /** Does a bit of what must be done some time. Whether there is more. */
  boolean tidy() {
    if (!failure.isEmpty()) {
      return false;
    }
    try {
      log.prepare();
      if (cleaner.isUrgent() || cleaner.isBusy() || log.segments().size() >= settings.segments()) {
        cleaner.step(128 << 10);
        return cleaner.isUrgent() || cleaner.isBusy();
      }
    } catch (IOException | NoRoom e) {
      failed(e);
    }
    return false;
  }

  private void remember() {
    index.remember(settings.rememberBytes(), clock.getAsLong() - settings.rememberFor().toMillis());
  }

  /** Finds values whose time is over; they go with the next group, since nobody waits for that. */
  private void sweep() {
    if (clock.getAsLong() - swept >= SWEEP_MILLIS || clock.getAsLong() < swept) {
      swept = clock.getAsLong();
      over.clear();
      over.addAll(index.over(swept));
    }
  }

  Report report() {
    return report;
  }

  /** Writes down what nobody waits for. */
  void close() {
    if (!suppressed.isEmpty() && failure.isEmpty()) {
      List<Log.Record> counts = suppressed.entrySet().stream().map(each -> new Log.Record(FactCodec.SUPPRESSED,
          Layout.FIRST, FactCodec.encode(new Fact.Suppressed(each.getKey(), each.getValue())))).toList();
      suppressed.clear();
      try {
        log.append(counts, true);
      } catch (IOException | NoRoom e) {
        LOG.debug("duplicates are not counted", e);
      }
    }
    log.close();
  }
}

package io.weir.journal.internal;

import io.weir.event.Events;
import io.weir.event.GatewayEvent.PartChanged;
import io.weir.event.Part;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.JournalUnavailable;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the journal on a thread of its own, which reads what is there, offers the service once that is done, and writes.
 * Activation does not touch the disk.
 */
@Component(name = JournalKeeper.PID, configurationPid = JournalKeeper.PID, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE, service = Part.class)
@Designate(ocd = JournalConfig.class)
public final class JournalKeeper implements Part {
  static final String PID = "io.weir.journal";
  private static final Logger LOG = LoggerFactory.getLogger(JournalKeeper.class);
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long AGAIN_MILLIS = 2000;
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final FileSystem files;
  private final LongSupplier clock;
  private final Events events;
  private final Settings settings;
  private final Function<InvocationJournal, Runnable> offer;
  private final Queue queue;
  private final Report report = new Report();
  private final Thread thread;
  private volatile @Nullable Ledger ledger;
  private volatile @Nullable SegmentJournal journal;
  private volatile String waiting = "is being read";
  private volatile boolean closing;

  @Activate
  public JournalKeeper(BundleContext context, @Reference Events events, JournalConfig config) {
    this(Settings.of(config, Path.of(Objects.requireNonNullElse(context.getProperty("weir.data"), "/var/lib/weir"))),
        System::currentTimeMillis, events, journal -> registered(context, journal));
  }

  /** @param offer makes the journal known to others, and says how to take it back */
  JournalKeeper(Settings settings, LongSupplier clock, Events events, Function<InvocationJournal, Runnable> offer) {
    this.settings = settings;
    this.clock = clock;
    this.events = events;
    this.offer = offer;
    this.files = new DiskFolder(settings.folder());
    this.queue = new Queue(settings.window().toNanos());
    this.thread = new Thread(this::run, "weir-journal");
    thread.setDaemon(true);
    thread.start();
  }

  private static Runnable registered(BundleContext context, InvocationJournal journal) {
    ServiceRegistration<?> registration = context.registerService(InvocationJournal.class, journal, null);
    return () -> {
      try {
        registration.unregister();
      } catch (IllegalStateException e) {
        // The bundle was stopped, which did it.
      }
    };
  }

  private void run() {
    while (!closing) {
      try {
        files.list();
        try (Closeable lock = lock()) {
          serve();
        }
        return;
      } catch (IOException e) {
        String why = files + " cannot be used: " + e.getMessage();
        if (!why.equals(waiting)) {
          waiting = why;
          tell(why);
          LOG.error("the journal {}; trying again every {} ms", why, AGAIN_MILLIS, e);
        }
        pause();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private void pause() {
    try {
      Thread.sleep(AGAIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closing = true;
    }
  }

  /** On a disk that takes no lock nobody writes either, so there it is not needed. */
  private Closeable lock() throws IOException {
    try {
      return files.lock();
    } catch (FileSystem.Locked e) {
      throw e;
    } catch (IOException e) {
      LOG.warn("{} cannot be locked: {}", files, e.getMessage());
      return () -> { };
    }
  }

  private void serve() throws IOException, InterruptedException {
    SecureRandom random = new SecureRandom();
    SegmentJournal.Watchers watchers = new SegmentJournal.Watchers();
    Ledger opened = new Ledger(settings, files, clock, random::nextLong, report,
        (channels, news) -> {
          watchers.tell(channels);
          if (!news.isEmpty()) {
            tell(news);
          }
        });
    SegmentJournal service = new SegmentJournal(opened, queue, watchers);
    ledger = opened;
    journal = service;
    Runnable takeBack = offer.apply(service);
    tell(state());
    InvocationJournal.Usage usage = service.usage();
    LOG.info("{}: {} pending, {} to be sent, {} dead letters, {} keys of state; {} of {} bytes", files, usage.pending(),
        usage.outgoing(), usage.deadLetters(), usage.states(), usage.live(), usage.limit());
    try {
      work(opened);
    } finally {
      takeBack.run();
      journal = null;
      ledger = null;
      opened.close();
    }
  }

  private void work(Ledger opened) throws InterruptedException {
    boolean more = false;
    while (!queue.isOver()) {
      List<Request<?>> requests = queue.await(more ? 0 : IDLE_NANOS);
      try {
        opened.process(requests);
        more = opened.tidy();
      } catch (RuntimeException e) {
        LOG.error("the journal failed at {} changes", requests.size(), e);
        RuntimeException why =
            new JournalUnavailable("unexpected failure of the journal: " + e, e);
        requests.forEach(request -> request.fail(why));
        more = false;
      }
    }
  }

  private void tell(String news) {
    events.publish(new PartChanged(Instant.now(), name(), news));
  }

  @Override
  public String name() {
    return "journal";
  }

  @Override
  public boolean ready() {
    Ledger now = ledger;
    return now != null && now.failure().isEmpty();
  }

  @Override
  public String state() {
    Ledger now = ledger;
    SegmentJournal service = journal;
    if (now == null || service == null) {
      return waiting;
    }
    InvocationJournal.Usage usage = service.usage();
    StringBuilder state = new StringBuilder();
    if (!now.failure().isEmpty()) {
      state.append("cannot be written: ").append(now.failure()).append("; ");
    }
    state.append(usage.pending()).append(" pending, ").append(usage.outgoing()).append(" to be sent, ")
        .append(usage.deadLetters()).append(" dead letters; ").append(usage.live() >> 10).append(" of ")
        .append(usage.limit() >> 10).append(" KiB");
    if (usage.setAside() > 0) {
      state.append("; ").append(usage.setAside()).append(" files set aside in ").append(settings.folder());
    }
    report.findings().stream().findFirst().ifPresent(first -> state.append("; ").append(first));
    return state.toString();
  }

  @Deactivate
  void close() {
    closing = true;
    queue.close();
    try {
      if (waitsToOpen()) {
        thread.interrupt();
      }
      thread.join(PATIENCE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean waitsToOpen() {
    return ledger == null;
  }
}

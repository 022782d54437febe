package io.weir.gateway.mqtt.internal;

import io.weir.broker.Broker;
import io.weir.event.Events;
import io.weir.event.GatewayIdentity;
import io.weir.event.GatewayEvent;
import io.weir.event.Part;
import io.weir.function.FunctionListener;
import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import io.weir.invocation.AnswerListener;
import io.weir.invocation.Answers;
import io.weir.invocation.Courier;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.Invoker;
import io.weir.kernel.Adaptor;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps one MQTT session for each function that has MQTT triggers, so that none waits for another. */
@Component(name = MqttGateway.PID, configurationPid = MqttGateway.PID, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE, service = Part.class)
@Designate(ocd = MqttGatewayConfig.class)
public final class MqttGateway implements FunctionListener, Part {
  static final String PID = "io.weir.gateway.mqtt";

  private static final Logger LOG = LoggerFactory.getLogger(MqttGateway.class);
  /** By then every function that still exists has been declared. */
  private static final Duration ORPHANS_AFTER = Duration.ofSeconds(60);
  /** If there is a journal, it has most likely been read by then. */
  private static final Duration JOURNAL_READ_WITHIN = Duration.ofSeconds(10);
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final int WRITERS = 4;

  private final Context context;
  private final ScheduledExecutorService timer;
  private final ExecutorService writer;
  private final Durable durable = new Durable();
  private final Listeners listeners = new Listeners();
  private final PostOffice office;
  private final MqttAnswers answers;
  private final SessionGroup ordinary;
  private final SessionGroup fast;
  private volatile @Nullable Adaptor adaptor;
  /** Null only where there is no framework. */
  private @Nullable ServiceRegistration<FunctionListener> listening;
  private @Nullable ServiceRegistration<Answers> answering;

  @Activate
  public MqttGateway(BundleContext bundle, @Reference GatewayIdentity gateway, @Reference Broker broker,
      @Reference Invoker invoker, @Reference Events events, MqttGatewayConfig config) {
    this(Settings.of(config), data(bundle), gateway.id(), broker, invoker, events, ORPHANS_AFTER);
    durable.expect(JOURNAL_READ_WITHIN);
    // By hand: as a service of this component it would depend, through the invoker, on the registry that calls it.
    listening = bundle.registerService(FunctionListener.class, this, null);
    // Likewise: who wants the answers is wanted here.
    answering = bundle.registerService(Answers.class, answers, null);
  }

  MqttGateway(Settings settings, Path data, String gateway, Broker broker, Invoker invoker, Events events,
      Duration orphansAfter) {
    ThreadPoolExecutor pool = new ThreadPoolExecutor(WRITERS, WRITERS, 10, TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(), threads("weir-mqtt-writer"));
    pool.allowCoreThreadTimeOut(true);
    this.writer = pool;
    ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1, threads("weir-mqtt-timer"));
    clock.setRemoveOnCancelPolicy(true);
    this.timer = clock;
    this.context = new Context(broker, invoker, events, timer, writer, settings, gateway,
        new SessionFiles(data.resolve("mqtt")), durable, listeners);
    this.office = new PostOffice(context);
    Line gatewayBrings = Line.ordinary(context, office);
    this.ordinary = new SessionGroup(context, name -> gatewayBrings, gatewayBrings::serves, this::changed);
    Context apart = context.with(new SessionFiles(data.resolve("mqtt-fast")));
    this.fast = new SessionGroup(apart, name -> new FastLine(apart, name, () -> Optional.ofNullable(adaptor)),
        Trigger.Mqtt::fast, this::changed);
    this.answers = new MqttAnswers(settings.maxAnswerBytes(), listeners, office::sendEarly, name -> ordinary.find(name)
        .flatMap(FunctionSession::notifier).orElse((event, reason, detail) -> { }));
    long period = settings.keepAlive().toMillis();
    timer.scheduleWithFixedDelay(() -> all().forEach(FunctionSession::look), period, period, TimeUnit.MILLISECONDS);
    timer.schedule(this::forgetOrphans, orphansAfter.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static Path data(BundleContext bundle) {
    String data = bundle.getProperty("weir.data");
    return Path.of(data == null ? "/var/lib/weir" : data).toAbsolutePath();
  }

  private static ThreadFactory threads(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  // --- functions -----------------------------------------------------------------------------------------------------

  @Override
  public void functionAdded(FunctionSpec function) {
    ordinary.declared(function);
    fast.declared(function);
  }

  @Override
  public void functionChanged(FunctionSpec before, FunctionSpec after) {
    functionAdded(after);
  }

  @Override
  public void functionRemoved(FunctionSpec function) {
    ordinary.removed(function.name());
    fast.removed(function.name());
  }

  private void forgetOrphans() {
    ordinary.forgetOrphans();
    fast.forgetOrphans();
    office.forgetAllBut(name -> ordinary.find(name).filter(FunctionSession::serving).isPresent());
  }

  private List<FunctionSession> all() {
    return Stream.concat(ordinary.all().stream(), fast.all().stream()).toList();
  }

  // --- the kernel ----------------------------------------------------------------------------------------------------

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setAdaptor(Adaptor service) {
    adaptor = service;
    fast.all().forEach(FunctionSession::renew);
  }

  public void unsetAdaptor(Adaptor service) {
    if (adaptor == service) {
      adaptor = null;
      fast.all().forEach(FunctionSession::renew);
    }
  }

  // --- who else hears of answers ---------------------------------------------------------------------------------------

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void addListener(AnswerListener listener) {
    listeners.add(listener);
  }

  public void removeListener(AnswerListener listener) {
    listeners.remove(listener);
  }

  // --- who keeps promises --------------------------------------------------------------------------------------------

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setCourier(Courier service) {
    durable.courier(service);
    changed();
  }

  public void unsetCourier(Courier service) {
    if (durable.isCourier(service)) {
      durable.courier(null);
      leaveWithBroker();
      changed();
    }
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setJournal(InvocationJournal service) {
    durable.journal(service);
    office.journal(service);
    changed();
  }

  public void unsetJournal(InvocationJournal service) {
    if (durable.isJournal(service)) {
      durable.journal(null);
      office.journal(null);
      leaveWithBroker();
      changed();
    }
  }

  /** What may only be handled with the journal is not even taken without. */
  private void leaveWithBroker() {
    ordinary.all().stream().filter(FunctionSession::lacksJournal).forEach(FunctionSession::renew);
  }

  MqttAnswers answers() {
    return answers;
  }

  /** Whether nothing that the journal keeps is unread. */
  boolean current() {
    return office.current();
  }

  // --- what operators see --------------------------------------------------------------------------------------------

  private void changed() {
    context.events().publish(new GatewayEvent.PartChanged(Instant.now(), name(), state()));
  }

  @Override
  public String name() {
    return "mqtt";
  }

  @Override
  public boolean ready() {
    return all().stream().allMatch(session -> session.ready() || !session.serving());
  }

  @Override
  public String state() {
    List<FunctionSession> serving = all().stream().filter(FunctionSession::serving).toList();
    long dropped = serving.stream().mapToLong(FunctionSession::dropped).sum();
    return serving.stream().filter(session -> !session.ready()).findFirst()
        .map(session -> session.name() + ": " + session.state())
        .orElseGet(() -> serving.size() + (serving.size() == 1 ? " session at " : " sessions at ")
            + context.broker().uri()
            + (durable.courier().isPresent() || serving.stream().noneMatch(FunctionSession::promises) ? ""
                : "; no journal, so messages are acknowledged once they are answered"))
        + (dropped == 0 ? "" : "; " + dropped + " messages of QoS 0 dropped");
  }

  @Deactivate
  public void close() {
    if (listening != null) {
      listening.unregister();
    }
    if (answering != null) {
      answering.unregister();
    }
    office.close();
    timer.shutdownNow();
    List<FunctionSession> all = all();
    all.forEach(FunctionSession::close);
    long until = System.nanoTime() + PATIENCE.toNanos();
    try {
      for (FunctionSession session : all) {
        session.awaitEnd(Duration.ofNanos(until - System.nanoTime()));
      }
      writer.shutdown();
      if (!writer.awaitTermination(until - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        LOG.warn("files of sessions are still being written");
      }
    } catch (InterruptedException e) {
      all.forEach(FunctionSession::abort);
      writer.shutdown();
      Thread.currentThread().interrupt();
    }
  }
}

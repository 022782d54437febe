package io.weir.delivery.internal;

import io.weir.event.Events;
import io.weir.event.Part;
import io.weir.function.FunctionName;
import io.weir.function.FunctionRegistry;
import io.weir.function.Promise;
import io.weir.invocation.Acceptance;
import io.weir.invocation.Answers;
import io.weir.invocation.Courier;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.Invoker;
import io.weir.invocation.StateAttempts;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;

/** Keeps promises by the journal; is there as long as the journal is. */
@Component(name = DurableCourier.PID, configurationPid = DurableCourier.PID, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE, service = {Courier.class, Part.class})
@Designate(ocd = DeliveryConfig.class)
public final class DurableCourier implements Courier, Part {
  static final String PID = "io.weir.delivery";

  private final ScheduledThreadPoolExecutor timer;
  private final ExecutorService reader;
  private final Engine engine;
  /** Set by the framework as it comes and goes. */
  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable StateAttempts states;

  @Activate
  public DurableCourier(@Reference InvocationJournal journal, @Reference Invoker invoker,
      @Reference FunctionRegistry functions, @Reference Events events, DeliveryConfig config) {
    Settings settings = Settings.of(config);
    timer = new ScheduledThreadPoolExecutor(1, threads("weir-delivery-timer"));
    timer.setRemoveOnCancelPolicy(true);
    ThreadPoolExecutor pool = new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
        threads("weir-delivery-reader"), new ThreadPoolExecutor.DiscardPolicy());
    pool.allowCoreThreadTimeOut(true);
    reader = pool;
    engine = new Engine(new World(journal, invoker, functions, events, settings, () -> states, Clock.systemUTC(), System::nanoTime,
        bound -> ThreadLocalRandom.current().nextLong(bound), this::after, reader));
    engine.begin();
  }

  private static ThreadFactory threads(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  private void after(Duration delay, Runnable task) {
    try {
      timer.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      // The journal keeps what was not done.
    }
  }

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void addAnswers(Answers service) {
    engine.add(service);
  }

  public void removeAnswers(Answers service) {
    engine.remove(service);
  }

  @Override
  public CompletionStage<Acceptance> accept(InvocationJournal.Entry entry, Promise promise) {
    return engine.accept(entry, promise);
  }

  @Override
  public void look() {
    engine.look();
  }

  @Override
  public String problem(FunctionName function) {
    return engine.problem(function);
  }

  @Override
  public String name() {
    return "delivery";
  }

  @Override
  public boolean ready() {
    return true;
  }

  @Override
  public String state() {
    List<FunctionName> leftAlone = engine.leftAlone();
    String homeless = engine.homeless();
    return engine.pending() + " events pending"
        + (leftAlone.isEmpty() ? "" : "; left alone for a while because they only fail: "
            + leftAlone.stream().map(FunctionName::value).collect(Collectors.joining(", ")))
        + (homeless == null ? "" : "; events of " + homeless + " wait for their gateway");
  }

  @Deactivate
  public void close() {
    engine.close();
    timer.shutdownNow();
    reader.shutdown();
  }
}

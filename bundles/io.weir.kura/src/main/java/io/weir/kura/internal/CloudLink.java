package io.weir.kura.internal;

import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import io.weir.invocation.AnswerListener;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.Invoker;
import io.weir.invocation.Outcome;
import io.weir.invocation.Payload;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.kura.KuraException;
import org.eclipse.kura.cloudconnection.message.KuraMessage;
import org.eclipse.kura.cloudconnection.publisher.CloudPublisher;
import org.eclipse.kura.cloudconnection.subscriber.CloudSubscriber;
import org.eclipse.kura.cloudconnection.subscriber.listener.CloudSubscriberListener;
import org.eclipse.kura.configuration.ConfigurableComponent;
import org.eclipse.kura.message.KuraPayload;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ties a function to Kura's cloud: messages of a subscriber call it, its answers go to a publisher. What waits here is in
 * memory; what must outlive a power cut goes by MQTT to the gateway's own broker, and its answers come here after they were
 * kept.
 */
@Component(name = CloudLinkConfig.PID, configurationPid = CloudLinkConfig.PID, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE, service = {ConfigurableComponent.class, AnswerListener.class})
@Designate(ocd = CloudLinkConfig.class, factory = true)
public final class CloudLink implements ConfigurableComponent, AnswerListener, CloudSubscriberListener {
  private static final Logger log = LoggerFactory.getLogger(CloudLink.class);
  static final String TRIGGER = "kura";
  private static final int MOST_UNPUBLISHED = 1000;

  private final Clock clock = Clock.systemUTC();
  private final AtomicReference<Invoker> invoker = new AtomicReference<>();
  private final AtomicReference<CloudPublisher> publisher = new AtomicReference<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final Sometimes complaints = new Sometimes(System::nanoTime);
  /** A publisher may wait for its network; who brings answers must not. */
  private final ThreadPoolExecutor publishing = new ThreadPoolExecutor(1, 1, 5, TimeUnit.SECONDS,
      new ArrayBlockingQueue<>(MOST_UNPUBLISHED), Threads.daemon("weir-kura-publisher"));
  private volatile CloudLinkConfig config;

  @Activate
  public CloudLink(CloudLinkConfig config) {
    publishing.allowCoreThreadTimeOut(true);
    this.config = config;
    check(config);
  }

  @Modified
  void changed(CloudLinkConfig now) {
    config = now;
    check(now);
  }

  private static void check(CloudLinkConfig config) {
    try {
      new FunctionName(config.function().strip());
    } catch (InvalidFunction e) {
      log.warn("{}: function: '{}' is no name of a function; the link does nothing. {}", CloudLinkConfig.PID,
          config.function(), e.getMessage());
    }
  }

  @Deactivate
  void close() {
    publishing.shutdownNow();
  }

  @Override
  public void onMessageArrived(KuraMessage message) {
    CloudLinkConfig now = config;
    Invoker target = invoker.get();
    if (target == null) {
      drop("no function can be called now; look at the part 'engine' in the status of Weir");
    } else if (waiting.incrementAndGet() > now.max_waiting()) {
      waiting.decrementAndGet();
      drop(now.max_waiting() + " messages wait for function " + now.function() + " already; raise 'Messages in work', or let "
          + "the function have more instances");
    } else {
      call(target, message, now);
    }
  }

  private void call(Invoker target, KuraMessage message, CloudLinkConfig now) {
    try {
      target.invoke(invocation(message, now)).whenComplete((outcome, failure) -> {
        waiting.decrementAndGet();
        if (outcome instanceof Outcome.Replied reply) {
          replied(reply, now);
        } else {
          drop(outcome instanceof Outcome.Failed failed ? failed.code() + ": " + failed.detail()
              : outcome instanceof Outcome.Refused refused ? refused.detail() : String.valueOf(failure));
        }
      });
    } catch (RuntimeException e) {   // No name of a function, or a message that cannot be written as JSON.
      waiting.decrementAndGet();
      drop(String.valueOf(e.getMessage()));
    }
  }

  private Invocation invocation(KuraMessage message, CloudLinkConfig now) {
    KuraPayload payload = message.getPayload() == null ? new KuraPayload() : message.getPayload();
    boolean json = now.request().equals("json");
    Instant arrived = clock.instant();
    String id = UUID.randomUUID().toString();
    List<Header> headers = List.of(new Header("ce-specversion", "1.0"), new Header("ce-id", id),
        new Header("ce-source", "/weir/kura"), new Header("ce-type", "io.weir.kura.message"),
        new Header("ce-time", arrived.toString()),
        new Header("Content-Type", json ? "application/json" : "application/octet-stream"));
    return new Invocation(id, new FunctionName(now.function().strip()), TRIGGER, "cloud", "POST",
        now.path().startsWith("/") ? now.path() : "/" + now.path(), headers,
        Payload.of(json ? Payloads.json(payload) : Payloads.body(payload)), arrived, Guarantee.AT_LEAST_ONCE, false);
  }

  private void replied(Outcome.Replied reply, CloudLinkConfig now) {
    try (Outcome.Body body = reply.body()) {
      byte[] bytes = body.stream().readAllBytes();
      if (reply.status() >= 300) {
        drop("it answered " + reply.status());
      } else if (bytes.length > 0) {
        publish(reply.headers(), bytes, now.function());
      }
    } catch (IOException e) {
      drop("its answer broke off: " + e.getMessage());
    }
  }

  @Override
  public void answered(FunctionName function, String trigger, String subject, List<Header> headers, byte[] body) {
    CloudLinkConfig now = config;
    if (now.answers().equals("all") && function.value().equals(now.function().strip()) && publisher.get() != null) {
      publish(headers, body, function.value());
    }
  }

  private void publish(List<Header> headers, byte[] body, String function) {
    CloudPublisher to = publisher.get();
    if (to == null) {
      return;   // Nobody was chosen.
    }
    try {
      publishing.execute(() -> {
        try {
          to.publish(new KuraMessage(Payloads.payload(headers, body, clock.instant()), Map.of("weir.function", function)));
        } catch (KuraException | RuntimeException e) {
          drop("the cloud publisher refused an answer: " + e.getMessage());
        }
      });
    } catch (RejectedExecutionException e) {
      drop(MOST_UNPUBLISHED + " answers wait for the cloud publisher already");
    }
  }

  private void drop(String why) {
    if (complaints.now()) {
      log.warn("Cloud link of function {}: a message is lost: {}. {} were lost so far.", config.function(), why,
          complaints.count());
    }
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setInvoker(Invoker service) {
    invoker.set(service);
  }

  public void unsetInvoker(Invoker service) {
    invoker.compareAndSet(service, null);
  }

  /** The name is what Kura's web admin chooses services by. */
  @Reference(name = "CloudPublisher", cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setPublisher(CloudPublisher service) {
    publisher.set(service);
  }

  public void unsetPublisher(CloudPublisher service) {
    publisher.compareAndSet(service, null);
  }

  @Reference(name = "CloudSubscriber", cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setSubscriber(CloudSubscriber service) {
    service.registerCloudSubscriberListener(this);
  }

  public void unsetSubscriber(CloudSubscriber service) {
    service.unregisterCloudSubscriberListener(this);
  }
}

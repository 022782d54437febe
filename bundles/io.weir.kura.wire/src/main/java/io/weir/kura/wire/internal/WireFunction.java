package io.weir.kura.wire.internal;

import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import io.weir.invocation.Guarantee;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.Invoker;
import io.weir.invocation.Outcome;
import io.weir.invocation.Payload;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.kura.configuration.ConfigurableComponent;
import org.eclipse.kura.type.TypedValues;
import org.eclipse.kura.wire.WireComponent;
import org.eclipse.kura.wire.WireEmitter;
import org.eclipse.kura.wire.WireEnvelope;
import org.eclipse.kura.wire.WireHelperService;
import org.eclipse.kura.wire.WireReceiver;
import org.eclipse.kura.wire.WireRecord;
import org.eclipse.kura.wire.WireSupport;
import org.eclipse.kura.wire.graph.MultiportWireSupport;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentContext;
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
import org.osgi.service.wireadmin.Consumer;
import org.osgi.service.wireadmin.Producer;
import org.osgi.service.wireadmin.Wire;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A box that calls a function with each batch of records. It has two exits: answers leave by the first; by the second, each
 * batch that came to nothing as one record that tells why.
 */
@Component(name = FunctionConfig.PID, configurationPid = FunctionConfig.PID, immediate = true,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    service = {ConfigurableComponent.class, WireComponent.class, WireReceiver.class, WireEmitter.class, Consumer.class,
      Producer.class},
    property = {"kura.ui.service.hide:Boolean=true", "input.cardinality.minimum:Integer=1",
      "input.cardinality.maximum:Integer=1", "input.cardinality.default:Integer=1", "output.cardinality.minimum:Integer=2",
      "output.cardinality.maximum:Integer=2", "output.cardinality.default:Integer=2"},
    properties = "OSGI-INF/ports.properties")
@Designate(ocd = FunctionConfig.class, factory = true)
public final class WireFunction implements ConfigurableComponent, WireReceiver, WireEmitter {
  private static final Logger log = LoggerFactory.getLogger(WireFunction.class);
  private static final String TRIGGER = "wire";
  private static final int ANSWERS = 0;
  private static final int ERRORS = 1;

  private final WireSupport wires;
  private final AtomicReference<Invoker> invoker = new AtomicReference<>();
  /** What is fed by this box may take its time; the invoker's threads must not wait for it. */
  private final Executor emitting;
  private final @Nullable ThreadPoolExecutor own;
  private final Slots slots = new Slots();
  private volatile FunctionConfig config;

  @Activate
  @SuppressWarnings("unchecked")
  public WireFunction(ComponentContext context, @Reference WireHelperService helper, FunctionConfig config) {
    this.own = new ThreadPoolExecutor(1, 1, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
      Thread made = new Thread(work, "weir-wire");
      made.setDaemon(true);
      return made;
    });
    own.allowCoreThreadTimeOut(true);
    this.emitting = own;
    this.config = config;
    this.wires = helper.newWireSupport(this, (ServiceReference<WireComponent>) context.getServiceReference());
    check(config);
  }

  WireFunction(WireSupport wires, FunctionConfig config, Executor emitting) {
    this.own = null;
    this.emitting = emitting;
    this.config = config;
    this.wires = wires;
  }

  @Modified
  void changed(FunctionConfig now) {
    config = now;
    slots.more();
    check(now);
  }

  private static void check(FunctionConfig config) {
    try {
      new FunctionName(config.function().strip());
    } catch (InvalidFunction e) {
      log.warn("{}: function: '{}' is no name of a function; every batch is an error until it is. {}", FunctionConfig.PID,
          config.function(), e.getMessage());
    }
  }

  @Deactivate
  void close() {
    slots.close();
    if (own != null) {
      own.shutdown();
    }
  }

  @Override
  public void onWireReceive(WireEnvelope envelope) {
    FunctionConfig now = config;
    Invoker target = invoker.get();
    if (target == null) {
      failed(now, "not-available", "no function can be called now; look at the status of Weir");
    } else if (!slots.take(() -> config.in_flight(), now.when_full().equals("drop") ? 0 : now.max_wait_seconds())) {
      failed(now, "queue-full", now.in_flight() + " batches are in work; raise 'Batches in work', or let the function have "
          + "more instances");
    } else {
      call(target, envelope, now);
    }
  }

  private void call(Invoker target, WireEnvelope envelope, FunctionConfig now) {
    try {
      target.invoke(invocation(envelope, now)).whenComplete((outcome, failure) -> emitting.execute(() -> {
        try {
          ended(outcome, failure, now);
        } finally {
          slots.release();
        }
      }));
    } catch (InvalidFunction e) {
      slots.release();
      failed(now, "unknown-function", String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      slots.release();
      failed(now, "internal", String.valueOf(e));
    }
  }

  private static Invocation invocation(WireEnvelope envelope, FunctionConfig now) {
    String id = UUID.randomUUID().toString();
    Instant arrived = Instant.now();
    String emitter = String.valueOf(envelope.getEmitterPid());
    List<Header> headers = List.of(new Header("ce-specversion", "1.0"), new Header("ce-id", id),
        new Header("ce-source", "/weir/wire"), new Header("ce-type", "io.weir.wire.batch"),
        new Header("ce-time", arrived.toString()), new Header("Content-Type", "application/json"));
    return new Invocation(id, new FunctionName(now.function().strip()), TRIGGER, emitter, "POST",
        now.path().startsWith("/") ? now.path() : "/" + now.path(), headers,
        Payload.of(Records.json(emitter, envelope.getRecords())), arrived,
        now.again() ? Guarantee.AT_LEAST_ONCE : Guarantee.AT_MOST_ONCE, false);
  }

  private void ended(@Nullable Outcome outcome, @Nullable Throwable failure, FunctionConfig now) {
    if (outcome instanceof Outcome.Replied reply) {
      replied(reply, now);
    } else if (outcome instanceof Outcome.Failed failed) {
      failed(now, failed.code(), failed.detail());
    } else if (outcome instanceof Outcome.Refused refused) {
      failed(now, refused.reason().name().toLowerCase(java.util.Locale.ROOT).replace('_', '-'), refused.detail());
    } else {
      failed(now, "internal", String.valueOf(failure));
    }
  }

  private void replied(Outcome.Replied reply, FunctionConfig now) {
    try (Outcome.Body body = reply.body()) {
      byte[] bytes = body.stream().readAllBytes();
      if (reply.status() >= 300) {
        failed(now, "status-" + reply.status(), "the function answered with status " + reply.status());
      } else if (bytes.length > 0) {
        emit(ANSWERS, Records.read(bytes));
      }
    } catch (IOException e) {
      failed(now, "connection-reset", "the answer broke off: " + e.getMessage());
    } catch (Records.Unreadable e) {
      failed(now, "bad-answer", String.valueOf(e.getMessage()));
    }
  }

  private void failed(FunctionConfig now, String code, String detail) {
    log.warn("Wires: a batch for function {} came to nothing: {}: {}", now.function(), code, detail);
    emit(ERRORS, List.of(new WireRecord(Map.of(
        "weir.function", TypedValues.newStringValue(now.function()),
        "weir.error", TypedValues.newStringValue(code),
        "weir.detail", TypedValues.newStringValue(detail)))));
  }

  /** A Kura that gave the box one exit only gets no errors by it: they would be taken for answers. */
  private void emit(int port, List<WireRecord> records) {
    if (wires instanceof MultiportWireSupport ports && port < ports.getEmitterPorts().size()) {
      ports.getEmitterPorts().get(port).emit(ports.createWireEnvelope(records));
    } else if (port == ANSWERS) {
      wires.emit(records);
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

  @Override
  public void consumersConnected(Wire[] wires) {
    this.wires.consumersConnected(wires);
  }

  @Override
  public void producersConnected(Wire[] wires) {
    this.wires.producersConnected(wires);
  }

  @Override
  public Object polled(Wire wire) {
    return wires.polled(wire);
  }

  @Override
  public void updated(Wire wire, Object value) {
    wires.updated(wire, value);
  }
}

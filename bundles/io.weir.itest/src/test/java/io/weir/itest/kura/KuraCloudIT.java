package io.weir.itest.kura;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weir.admin.AdminApi;
import io.weir.function.FunctionName;
import io.weir.invocation.AnswerListener;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.Invoker;
import io.weir.invocation.Outcome;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ThrowingRunnable;
import org.eclipse.kura.KuraException;
import org.eclipse.kura.cloudconnection.listener.CloudConnectionListener;
import org.eclipse.kura.cloudconnection.listener.CloudDeliveryListener;
import org.eclipse.kura.cloudconnection.message.KuraMessage;
import org.eclipse.kura.cloudconnection.publisher.CloudPublisher;
import org.eclipse.kura.cloudconnection.request.RequestHandler;
import org.eclipse.kura.cloudconnection.request.RequestHandlerRegistry;
import org.eclipse.kura.cloudconnection.subscriber.CloudSubscriber;
import org.eclipse.kura.cloudconnection.subscriber.listener.CloudSubscriberListener;
import org.eclipse.kura.configuration.ConfigurableComponent;
import org.eclipse.kura.message.KuraPayload;
import org.eclipse.kura.message.KuraResponsePayload;
import org.eclipse.kura.security.tamper.detection.TamperDetectionService;
import org.eclipse.kura.type.TypedValues;
import org.eclipse.kura.watchdog.CriticalComponent;
import org.eclipse.kura.watchdog.WatchdogService;
import org.eclipse.kura.wire.WireComponent;
import org.eclipse.kura.wire.WireEmitter;
import org.eclipse.kura.wire.WireEnvelope;
import org.eclipse.kura.wire.WireHelperService;
import org.eclipse.kura.wire.WireReceiver;
import org.eclipse.kura.wire.WireRecord;
import org.eclipse.kura.wire.WireSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.wireadmin.Consumer;
import org.osgi.service.wireadmin.Producer;
import org.osgi.service.wireadmin.Wire;

/** Weir and Kura's cloud services, inside a real Felix. */
class KuraCloudIT {
  @TempDir
  private Path folder;

  private final Requests requests = new Requests();
  private final Watchdog watchdog = new Watchdog();
  private final Publisher publisher = new Publisher();
  private final Subscriber subscriber = new Subscriber();
  private final List<Invocation> invocations = new CopyOnWriteArrayList<>();
  private volatile String answer = "{\"alarm\": true, \"celsius\": 21.5, \"n\": 7, \"text\": \"hot\"}";
  private KuraHost host;

  @BeforeEach
  void start() throws Exception {
    FakeKura.Disk disk = new FakeKura.Disk();
    disk.snapshots().put(0L, List.of(
        new FakeKura.Component("io.weir.engine.podman", null, Map.of("socket", folder.resolve("none.sock").toString(),
            "service.wait.seconds", 0)),
        new FakeKura.Component("io.weir.broker", null, Map.of("url", "tcp://127.0.0.1:1")),
        new FakeKura.Component("io.weir.kernel", null, Map.of("enabled", false))));
    host = new KuraHost(folder, disk, this::offer);
    soon(() -> assertThat(requests.handlers).containsKey("WEIR-V1"));
    soon(() -> assertThat(host.service(AdminApi.class)).isNotNull());
    soon(() -> assertThat(ask("GET", List.of("status"), null).getResponseCode()).isEqualTo(200));
  }

  private void offer(BundleContext context) {
    context.registerService(RequestHandlerRegistry.class, requests, null);
    context.registerService(WatchdogService.class, watchdog, null);
    context.registerService(CloudPublisher.class, publisher, new Hashtable<>(Map.of("kura.service.pid", "pub")));
    context.registerService(CloudSubscriber.class, subscriber, new Hashtable<>(Map.of("kura.service.pid", "sub")));
    // In front of the real one, which would need containers.
    context.registerService(Invoker.class, (Invoker) this::invoke, new Hashtable<>(Map.of("service.ranking", 100)));
  }

  @AfterEach
  void stop() throws Exception {
    if (host != null) {
      host.close();
    }
  }

  private static void soon(ThrowingRunnable outcome) {
    // What is configured anew is gone for a moment, and with it what a test asks.
    await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(20)).ignoreExceptions().untilAsserted(outcome);
  }

  private CompletionStage<Outcome> invoke(Invocation invocation) {
    invocations.add(invocation);
    byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
    return CompletableFuture.completedFuture(new Outcome.Replied(200, List.of(new Header("Content-Type",
        "application/json")), new Outcome.Body() {
          @Override
          public InputStream stream() {
            return new ByteArrayInputStream(bytes);
          }

          @Override
          public long length() {
            return bytes.length;
          }

          @Override
          public void close() {
            // In memory.
          }
        }, Duration.ZERO, Duration.ZERO));
  }

  private static String body(Invocation invocation) throws IOException {
    try (InputStream in = invocation.body().open()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private KuraResponsePayload ask(String method, List<String> path, String body, Object... metrics) throws KuraException {
    KuraPayload payload = new KuraPayload();
    payload.addMetric("request.id", "1");
    payload.addMetric("requester.client.id", "me");
    for (int i = 0; i < metrics.length; i += 2) {
      payload.addMetric((String) metrics[i], metrics[i + 1]);
    }
    if (body != null) {
      payload.setBody(body.getBytes(StandardCharsets.UTF_8));
    }
    KuraMessage message = new KuraMessage(payload, Map.of("args", path));
    RequestHandler handler = requests.handlers.get("WEIR-V1");
    KuraMessage reply = switch (method) {
      case "GET" -> handler.doGet(null, message);
      case "PUT" -> handler.doPut(null, message);
      case "POST" -> handler.doPost(null, message);
      case "DEL" -> handler.doDel(null, message);
      default -> handler.doExec(null, message);
    };
    return (KuraResponsePayload) reply.getPayload();
  }

  private static String json(KuraResponsePayload payload) {
    return new String(payload.getBody(), StandardCharsets.UTF_8);
  }

  @Test
  void offersTheAdminApiToTheCloudWithTheSameJson() throws Exception {
    String yaml = "functions:\n  echo:\n    image: localhost/echo:1\n";
    KuraResponsePayload declared = ask("POST", List.of("functions"), yaml, "source", "cloud.yaml");
    assertThat(declared.getResponseCode()).as(json(declared)).isEqualTo(200);

    KuraResponsePayload one = ask("GET", List.of("functions", "echo"), null);
    AdminApi.Reply same = host.service(AdminApi.class).call(new AdminApi.Request("GET", "/functions/echo", "", "",
        new byte[0]));
    assertThat(json(one)).isEqualTo(new String(same.body(), StandardCharsets.UTF_8)).contains("\"name\":\"echo\"");
    assertThat(one.getMetric("content.type")).isEqualTo("application/json");
    assertThat(json(ask("GET", List.of("invocations"), null, "limit", 5))).isEqualTo("{\"invocations\":[]}");

    assertThat(ask("DEL", List.of("functions", "echo"), null).getResponseCode()).isEqualTo(204);
    KuraResponsePayload gone = ask("GET", List.of("functions", "echo"), null);
    assertThat(gone.getResponseCode()).isEqualTo(404);
    assertThat(json(gone)).contains("\"code\":\"unknown-function\"");
  }

  @Test
  void tellsTheCloudWhatIsWrongWithItsRequest() throws Exception {
    KuraResponsePayload bad = ask("POST", List.of("functions"), "functions:\n  Echo: {}\n");
    assertThat(bad.getResponseCode()).isEqualTo(400);
    assertThat(json(bad)).contains("invalid-declaration", "\"line\":2");

    assertThat(ask("GET", List.of("nothing"), null).getResponseCode()).isEqualTo(404);
    assertThat(ask("GET", List.of("events"), null).getResponseCode()).isEqualTo(501);
    assertThat(ask("GET", List.of("invocations"), null, "limit", "many").getResponseCode()).isEqualTo(400);
  }

  @Test
  void refusesRemoteChangesOnceTheyAreTurnedOff() throws Exception {
    host.kura().updateConfiguration("io.weir.kura", Map.of("remote.changes", false));
    soon(() -> assertThat(ask("POST", List.of("functions"), "functions: {}").getResponseCode()).isEqualTo(403));
    assertThat(ask("GET", List.of("functions"), null).getResponseCode()).isEqualTo(200);

    host.kura().updateConfiguration("io.weir.kura", Map.of("remote", false));
    soon(() -> assertThat(ask("GET", List.of("functions"), null).getResponseCode()).isEqualTo(403));
  }

  private void link(Map<String, Object> more) throws Exception {
    Map<String, Object> settings = new HashMap<>(Map.of("function", "thermo",
        "CloudSubscriber.target", "(kura.service.pid=sub)", "CloudPublisher.target", "(kura.service.pid=pub)"));
    settings.putAll(more);
    host.kura().createFactoryConfiguration("io.weir.kura.CloudLink", "link", settings, true);
    soon(() -> assertThat(subscriber.listeners).hasSize(1));
    soon(() -> assertThat(host.kura().getConfigurableComponentPids()).contains("link"));
  }

  @Test
  void callsAFunctionWithWhatASubscriberBringsAndPublishesItsAnswer() throws Exception {
    link(Map.of());
    KuraPayload payload = new KuraPayload();
    payload.addMetric("celsius", 21.5);
    payload.addMetric("unit", "C");
    payload.setBody(new byte[] {1, 2, 3});

    subscriber.listeners.get(0).onMessageArrived(new KuraMessage(payload));

    soon(() -> assertThat(publisher.messages).hasSize(1));
    assertThat(body(invocations.get(0))).isEqualTo("{\"metrics\":{\"celsius\":21.5,\"unit\":\"C\"},\"body\":\"AQID\"}");
    assertThat(invocations.get(0).function().value()).isEqualTo("thermo");
    assertThat(publisher.messages.get(0).getPayload().metrics()).isEqualTo(Map.of("alarm", true, "celsius", 21.5, "n", 7L,
        "text", "hot"));
  }

  @Test
  void handsTheBodyAloneOverIfToldTo() throws Exception {
    link(Map.of("request", "body"));
    answer = "not JSON";
    KuraPayload payload = new KuraPayload();
    payload.setBody("raw".getBytes(StandardCharsets.UTF_8));

    subscriber.listeners.get(0).onMessageArrived(new KuraMessage(payload));

    soon(() -> assertThat(publisher.messages).hasSize(1));
    assertThat(body(invocations.get(0))).isEqualTo("raw");
    assertThat(publisher.messages.get(0).getPayload().getBody()).asString(StandardCharsets.UTF_8).isEqualTo("not JSON");
  }

  @Test
  void publishesAnswersToMqttMessagesOfItsFunctionOnly() throws Exception {
    link(Map.of());
    AnswerListener link = host.service(AnswerListener.class);

    link.answered(new FunctionName("other"), "mqtt", "a/b", List.of(), "1".getBytes(StandardCharsets.UTF_8));
    link.answered(new FunctionName("thermo"), "mqtt", "a/b", List.of(), "2".getBytes(StandardCharsets.UTF_8));

    soon(() -> assertThat(publisher.messages).singleElement().satisfies(message ->
        assertThat(message.getPayload().getBody()).asString(StandardCharsets.UTF_8).isEqualTo("2")));
  }

  @Test
  void losesAMessageAndGoesOnWhenTheFunctionIsNoName() throws Exception {
    link(Map.of("function", "No Name"));

    subscriber.listeners.get(0).onMessageArrived(new KuraMessage(new KuraPayload()));
    assertThat(invocations).isEmpty();

    host.kura().updateConfiguration("link", Map.of("function", "thermo"));
    soon(() -> {
      subscriber.listeners.get(0).onMessageArrived(new KuraMessage(new KuraPayload()));
      assertThat(invocations).isNotEmpty();
    });
  }

  @Test
  void tellsTheWatchdogThatItIsAlive() throws Exception {
    soon(() -> assertThat(watchdog.checkins).hasPositiveValue());
    assertThat(watchdog.components).singleElement().satisfies(component -> {
      assertThat(component.getCriticalComponentName()).isEqualTo("Weir");
      assertThat(component.getCriticalComponentTimeout()).isEqualTo(60_000);
    });

    host.kura().updateConfiguration("io.weir.kura", Map.of("watchdog", false));
    soon(() -> assertThat(watchdog.components).isEmpty());
  }

  @Test
  void showsUnderTamperDetectionHowItsPartsAre() throws Exception {
    TamperDetectionService seal = host.service(TamperDetectionService.class);

    soon(() -> assertThat(seal.getTamperStatus().getProperties()).containsKeys("engine", "http", "kura", "records"));
    assertThat(seal.getTamperStatus().isDeviceTampered()).isFalse();
    assertThat(seal.getTamperStatus().getProperties().get("engine").getValue()).asString().startsWith("NOT READY: ");
    soon(() -> assertThat(seal.getTamperStatus().getProperties().get("records").getValue()).asString()
        .startsWith("as they were written"));
  }

  @Test
  void isABoxForWiresWithAnExitForErrors() throws Exception {
    List<List<WireRecord>> emitted = new CopyOnWriteArrayList<>();
    host.context().registerService(WireHelperService.class, new Wires(emitted), null);
    host.kura().createFactoryConfiguration("io.weir.kura.wire.Function", "box", new HashMap<>(Map.of("function", "thermo")),
        true);
    soon(() -> assertThat(host.context().getServiceReferences(WireReceiver.class, "(kura.service.pid=box)")).hasSize(1));
    ServiceReference<WireReceiver> box = host.context().getServiceReferences(WireReceiver.class, null).iterator().next();

    assertThat((String[]) box.getProperty("objectClass")).contains(WireComponent.class.getName(),
        WireEmitter.class.getName(), Producer.class.getName(), Consumer.class.getName(),
        ConfigurableComponent.class.getName());
    assertThat(box.getProperty("output.cardinality.default")).isEqualTo(2);
    assertThat(box.getProperty("output.port.names")).isEqualTo("0=answers\n1=errors");
    WireReceiver receiver = host.context().getService(box);
    host.kura().updateConfiguration("box", Map.of("path", "/batch"));
    soon(() -> assertThat(box.getProperty("path")).isEqualTo("/batch"));
    assertThat(host.context().getService(box)).as("not restarted").isSameAs(receiver);

    receiver.onWireReceive(new WireEnvelope("timer", List.of(new WireRecord(Map.of("n",
        TypedValues.newLongValue(5))))));

    soon(() -> assertThat(emitted).hasSize(1));
    assertThat(body(invocations.get(0))).isEqualTo(
        "{\"emitter\":\"timer\",\"records\":[{\"n\":{\"type\":\"LONG\",\"value\":5}}]}");
    assertThat(emitted.get(0).get(0).getProperties()).isEqualTo(Map.of("alarm", TypedValues.newBooleanValue(true),
        "celsius", TypedValues.newDoubleValue(21.5), "n", TypedValues.newLongValue(7),
        "text", TypedValues.newStringValue("hot")));
  }

  private record Wires(List<List<WireRecord>> emitted) implements WireHelperService {
    @Override
    public String getPid(WireComponent wireComponent) {
      return "box";
    }

    @Override
    public String getServicePid(String wireComponentPid) {
      return "box";
    }

    @Override
    public String getServicePid(WireComponent wireComponent) {
      return "box";
    }

    @Override
    public boolean isEmitter(String wireComponentPid) {
      return true;
    }

    @Override
    public boolean isReceiver(String wireComponentPid) {
      return true;
    }

    /** As Kura does, it wants to know whose wires these are. */
    @Override
    public WireSupport newWireSupport(WireComponent wireComponent, ServiceReference<WireComponent> wireComponentRef) {
      assertThat(wireComponentRef.getProperty("kura.service.pid")).isEqualTo("box");
      return new WireSupport() {
        @Override
        public void emit(List<WireRecord> wireRecords) {
          emitted.add(wireRecords);
        }

        @Override
        public void consumersConnected(Wire[] wires) {
          // Nobody asks.
        }

        @Override
        public Object polled(Wire wire) {
          return List.of();
        }

        @Override
        public void producersConnected(Wire[] wires) {
          // Nobody asks.
        }

        @Override
        public void updated(Wire wire, Object value) {
          // Nobody asks.
        }
      };
    }
  }

  private static final class Requests implements RequestHandlerRegistry {
    private final Map<String, RequestHandler> handlers = new ConcurrentHashMap<>();

    @Override
    public void registerRequestHandler(String id, RequestHandler requestHandler) {
      handlers.put(id, requestHandler);
    }

    @Override
    public void unregister(String id) {
      handlers.remove(id);
    }
  }

  private static final class Publisher implements CloudPublisher {
    private final List<KuraMessage> messages = new CopyOnWriteArrayList<>();

    @Override
    public String publish(KuraMessage message) {
      messages.add(message);
      return Integer.toString(messages.size());
    }

    @Override
    public void registerCloudConnectionListener(CloudConnectionListener cloudConnectionListener) {
      // Nobody asks.
    }

    @Override
    public void unregisterCloudConnectionListener(CloudConnectionListener cloudConnectionListener) {
      // Nobody asks.
    }

    @Override
    public void registerCloudDeliveryListener(CloudDeliveryListener cloudDeliveryListener) {
      // Nobody asks.
    }

    @Override
    public void unregisterCloudDeliveryListener(CloudDeliveryListener cloudDeliveryListener) {
      // Nobody asks.
    }
  }

  private static final class Subscriber implements CloudSubscriber {
    private final List<CloudSubscriberListener> listeners = new CopyOnWriteArrayList<>();

    @Override
    public void registerCloudSubscriberListener(CloudSubscriberListener listener) {
      listeners.add(listener);
    }

    @Override
    public void unregisterCloudSubscriberListener(CloudSubscriberListener listener) {
      listeners.remove(listener);
    }

    @Override
    public void registerCloudConnectionListener(CloudConnectionListener cloudConnectionListener) {
      // Nobody asks.
    }

    @Override
    public void unregisterCloudConnectionListener(CloudConnectionListener cloudConnectionListener) {
      // Nobody asks.
    }
  }

  private static final class Watchdog implements WatchdogService {
    private final List<CriticalComponent> components = new CopyOnWriteArrayList<>();
    private final AtomicInteger checkins = new AtomicInteger();

    @Override
    @Deprecated
    public void startWatchdog() {
      throw new UnsupportedOperationException();
    }

    @Override
    @Deprecated
    public void stopWatchdog() {
      throw new UnsupportedOperationException();
    }

    @Override
    public int getHardwareTimeout() {
      return 0;
    }

    @Override
    @Deprecated
    public void registerCriticalService(CriticalComponent criticalComponent) {
      throw new UnsupportedOperationException();
    }

    @Override
    @Deprecated
    public void unregisterCriticalService(CriticalComponent criticalComponent) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void registerCriticalComponent(CriticalComponent criticalComponent) {
      components.add(criticalComponent);
    }

    @Override
    public void unregisterCriticalComponent(CriticalComponent criticalComponent) {
      components.remove(criticalComponent);
    }

    @Override
    public List<CriticalComponent> getCriticalComponents() {
      return List.copyOf(components);
    }

    @Override
    public void checkin(CriticalComponent criticalComponent) {
      checkins.incrementAndGet();
    }
  }
}

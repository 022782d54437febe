package io.weir.gateway.http.internal;

import io.weir.engine.Breakdown;
import io.weir.engine.Instance;
import io.weir.function.FunctionSpec;
import io.weir.function.Promise;
import io.weir.function.Rung;
import io.weir.function.Source;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import io.weir.kernel.ServiceAddresses;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Functions and instances as the API shows them. */
final class FunctionViews {
  private FunctionViews() {}

  static Map<String, Object> function(FunctionSpec spec, String origin, long running, Optional<Breakdown> broken,
      Map<String, Object> service) {
    Optional<Source.Handler> handler = spec.source() instanceof Source.Handler it ? Optional.of(it) : Optional.empty();
    return Json.object("name", spec.name().value(),
        "image", spec.source() instanceof Source.Image image ? image.reference() : null,
        "runtime", handler.map(it -> it.language().label()).orElse(null),
        "handler", handler.map(Source.Handler::file).orElse(null), "port", spec.port(),
        "triggers", spec.triggers().stream().map(FunctionViews::trigger).toList(),
        "output", spec.output().map(TopicTemplate::value).orElse(null),
        "memory", bytes(spec.limits().memoryBytes()), "memoryBytes", spec.limits().memoryBytes(),
        "cpus", spec.limits().cpus(), "pids", spec.limits().pids(),
        "instances", Json.object("min", spec.scaling().min(), "max", spec.scaling().max()),
        "concurrency", spec.scaling().concurrency(), "idle", duration(spec.scaling().idle()),
        "rest", spec.scaling().rest().map(Rung::label).orElse("auto"), "priority", spec.scaling().priority().label(),
        "timeout", duration(spec.timeout()), "env", new TreeMap<>(spec.environment()),
        "revision", spec.revision(), "origin", origin, "running", running,
        "broken", broken.map(FunctionViews::breakdown).orElse(null), "service", service.isEmpty() ? null : service,
        "egress", spec.network().egress());
  }

  /** Where it is reached directly, and by whom; empty if nothing in this gateway provides that. */
  static Map<String, Object> service(FunctionSpec spec, Optional<ServiceAddresses> addresses) {
    return addresses.flatMap(all -> all.of(spec.name()).map(its -> Json.object("port", its.port(),
        "addresses", its.addresses().stream().map(FunctionViews::text).toList(), "from", spec.network().from(),
        "rate", spec.network().rate(), "burst", spec.network().burst(),
        "way", its.problem().isPresent() ? "proxy" : all.way(),
        "problem", its.problem().orElse(null)))).orElse(Map.of());
  }

  /** As in a URL. */
  private static String text(InetSocketAddress address) {
    String host = address.getAddress().getHostAddress();
    return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + address.getPort();
  }

  private static Map<String, Object> breakdown(Breakdown broken) {
    return Json.object("failures", broken.failures(), "detail", broken.detail(), "since", broken.since().toString(),
        "retryAt", broken.retryAt().toString());
  }

  private static Map<String, Object> trigger(Trigger trigger) {
    return trigger instanceof Trigger.Mqtt mqtt ? mqtt(mqtt) : Json.object("http", ((Trigger.Http) trigger).path());
  }

  private static Map<String, Object> mqtt(Trigger.Mqtt trigger) {
    Promise promise = trigger.promise();
    Map<String, Object> view = new LinkedHashMap<>(Json.object("mqtt", trigger.filter().value(), "qos", trigger.qos(),
        "path", trigger.path(), "delivery", promise.level().label(), "order", promise.order().label(),
        "retry", Json.object("attempts", promise.retry().attempts(), "deadline", duration(promise.retry().deadline())),
        "priority", promise.urgency().label()));
    if (trigger.fast()) {
      view.put("fast", "kernel");
    }
    return view;
  }

  static Map<String, Object> instance(Instance instance) {
    return Json.object("id", instance.id(), "name", instance.name(), "function", instance.function().value(),
        "revision", instance.revision(), "state", instance.state().name().toLowerCase(java.util.Locale.ROOT),
        "address", instance.address().orElse(null), "inFlight", instance.inFlight(), "served", instance.served(),
        "memoryBytes", instance.memoryBytes(), "since", instance.since().toString());
  }

  /** The largest unit without a fraction, as weir.yaml reads it. */
  static String bytes(long bytes) {
    String[] units = {"KiB", "MiB", "GiB"};
    String text = Long.toString(bytes);
    for (int i = 0; i < units.length && bytes >= 1024 && bytes % 1024 == 0; i++) {
      bytes /= 1024;
      text = bytes + units[i];
    }
    return text;
  }

  static String duration(Duration duration) {
    long millis = duration.toMillis();
    long seconds = millis / 1000;
    if (millis % 1000 != 0) {
      return millis + "ms";
    }
    if (seconds >= 3600 && seconds % 3600 == 0) {
      return seconds / 3600 + "h";
    }
    return seconds >= 120 && seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
  }
}

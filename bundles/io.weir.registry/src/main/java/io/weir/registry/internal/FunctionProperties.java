package io.weir.registry.internal;

import io.weir.function.FunctionSpec;
import io.weir.function.InvalidFunction;
import io.weir.function.Promise;
import io.weir.function.Promise.Retry;
import io.weir.function.Rung;
import io.weir.function.Source;
import io.weir.function.TopicFilter;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import java.util.Collection;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A function as properties of a factory configuration, and back; both ways together change nothing. */
final class FunctionProperties {
  static final String ORIGIN = "weir.origin";
  static final String LEAVING = "weir.leaving";
  private static final List<String> MQTT_KEYS =
      List.of("qos", "path", "fast", "delivery", "order", "attempts", "deadline", "priority");
  private static final Pattern MQTT = Pattern.compile("mqtt\\s+(?<filter>.+?)"
      + MQTT_KEYS.stream().map(key -> "(?:\\s+" + key + "=(?<" + key + ">\\S+))?").collect(Collectors.joining()));
  private static final Pattern HTTP = Pattern.compile("http\\s+(\\S+)");

  private FunctionProperties() {}

  static Dictionary<String, Object> write(FunctionSpec spec, String origin) {
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put("name", spec.name().value());
    Optional<Source.Handler> handler = spec.source() instanceof Source.Handler it ? Optional.of(it) : Optional.empty();
    properties.put("image", spec.source() instanceof Source.Image image ? image.reference() : "");
    properties.put("runtime", handler.map(it -> it.language().label()).orElse(""));
    properties.put("handler", handler.map(Source.Handler::file).orElse(""));
    properties.put("code", handler.map(Source.Handler::code).orElse(""));
    properties.put("port", spec.port());
    properties.put("triggers",
        spec.triggers().stream().map(FunctionProperties::line).collect(Collectors.joining("\n")));
    properties.put("output", spec.output().map(TopicTemplate::value).orElse(""));
    properties.put("memory", Units.bytes(spec.limits().memoryBytes()));
    properties.put("cpus", spec.limits().cpus());
    properties.put("pids", spec.limits().pids());
    properties.put("instances.min", spec.scaling().min());
    properties.put("instances.max", spec.scaling().max());
    properties.put("concurrency", spec.scaling().concurrency());
    properties.put("idle", Units.duration(spec.scaling().idle()));
    properties.put("rest", spec.scaling().rest().map(Rung::label).orElse(Defaults.REST));
    properties.put("priority", spec.scaling().priority().label());
    properties.put("timeout", Units.duration(spec.timeout()));
    properties.put("env", new TreeMap<>(spec.environment()).entrySet().stream()
        .map(entry -> entry.getKey() + "=" + escape(entry.getValue())).collect(Collectors.joining("\n")));
    properties.put("service.port", spec.network().port().orElse(0));
    properties.put("service.from", String.join("\n", spec.network().from()));
    properties.put("service.rate", spec.network().rate());
    properties.put("service.burst", spec.network().burst());
    properties.put("egress", String.join("\n", spec.network().egress()));
    properties.put(ORIGIN, origin);
    return properties;
  }

  private static String line(Trigger trigger) {
    return trigger instanceof Trigger.Mqtt mqtt
        ? "mqtt " + mqtt.filter() + " qos=" + mqtt.qos() + " path=" + mqtt.path() + (mqtt.fast() ? " fast=kernel" : "")
            + promise(mqtt.promise(), mqtt.qos())
        : "http " + ((Trigger.Http) trigger).path();
  }

  /** What differs from what holds where nothing is written. */
  private static String promise(Promise promise, int qos) {
    Retry retry = promise.retry();
    return word("delivery", promise.level().label(), Promise.Level.of(qos).label())
        + word("order", promise.order().label(), Promise.Order.TOPIC.label())
        + word("attempts", retry.attempts(), Retry.DEFAULT.attempts())
        + word("deadline", Units.duration(retry.deadline()), Units.duration(Retry.DEFAULT.deadline()))
        + word("priority", promise.urgency().label(), Promise.Urgency.NORMAL.label());
  }

  private static String word(String key, Object value, Object otherwise) {
    return value.equals(otherwise) ? "" : " " + key + "=" + value;
  }

  /** Who wrote it: a file name, {@code api}, or {@code configuration}. */
  static String origin(Dictionary<String, Object> properties) {
    return properties.get(ORIGIN) instanceof String origin && !origin.isBlank() ? origin : Registry.CONFIGURATION;
  }

  /** @throws InvalidFunction if they are no function */
  static FunctionSpec read(String pid, Dictionary<String, Object> properties) {
    Draft draft = new Draft();
    draft.name = name(pid, properties);
    text(properties, "image", value -> draft.image = value);
    text(properties, "runtime", value -> draft.runtime = value);
    text(properties, "handler", value -> draft.handler = value);
    draft.code = code(properties.get("code"));
    whole(properties, "port", value -> draft.port = value);
    lines(properties, "triggers").map(FunctionProperties::trigger).forEach(draft.triggers::add);
    text(properties, "output", value -> draft.output = Optional.of(new TopicTemplate(value)));
    text(properties, "memory", value -> draft.memory = value);
    text(properties, "cpus", value -> draft.cpus = decimal("cpus", value));
    whole(properties, "pids", value -> draft.pids = value);
    whole(properties, "instances.min", value -> draft.minInstances = value);
    whole(properties, "instances.max", value -> draft.maxInstances = value);
    whole(properties, "concurrency", value -> draft.concurrency = value);
    text(properties, "idle", value -> draft.idle = value);
    text(properties, "rest", value -> draft.rest = value);
    text(properties, "priority", value -> draft.priority = value);
    text(properties, "timeout", value -> draft.timeout = value);
    lines(properties, "env").forEach(line -> variable(line, draft.env));
    whole(properties, "service.port", value -> draft.servicePort = value == 0 ? OptionalInt.empty() : OptionalInt.of(value));
    lines(properties, "service.from").forEach(draft.serviceFrom::add);
    whole(properties, "service.rate", value -> draft.serviceRate = value);
    whole(properties, "service.burst", value -> draft.serviceBurst = value);
    lines(properties, "egress").forEach(draft.egress::add);
    return draft.build(FunctionProperties::noFile);
  }

  /** As it was written: the blanks that begin a line mean something. */
  private static String code(@Nullable Object value) {
    String text = value instanceof String[] lines ? String.join("\n", lines) : value == null ? "" : value.toString();
    return text.isBlank() ? "" : text;
  }

  private static String noFile(String name) {
    throw new InvalidFunction("code", "code: is missing; a configuration has no files beside it, so write the program of '"
        + name + "' here");
  }

  /** Falls back to the name given to Kura, then to what follows {@code ~} in the PID. */
  private static String name(String pid, Dictionary<String, Object> properties) {
    return Stream.of(properties.get("name"), properties.get("kura.service.pid"))
        .filter(String.class::isInstance).map(name -> ((String) name).strip()).filter(name -> !name.isEmpty())
        .findFirst().orElse(pid.substring(pid.indexOf('~') + 1));
  }

  private static Optional<String> text(@Nullable Object value) {
    return Optional.ofNullable(value).map(given -> given.toString().strip()).filter(given -> !given.isEmpty());
  }

  private static void text(Dictionary<String, Object> properties, String key, Consumer<String> to) {
    text(properties.get(key)).ifPresent(to);
  }

  private static void whole(Dictionary<String, Object> properties, String key, Consumer<Integer> to) {
    text(properties.get(key)).ifPresent(text -> to.accept(whole(key, text)));
  }

  static int whole(String key, String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new InvalidFunction(key, text, "a whole number");
    }
  }

  static double decimal(String key, String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new InvalidFunction(key, text, "a number, for example 0.5");
    }
  }

  /** A text of several lines, or an array with one line in each element. */
  private static Stream<String> lines(Dictionary<String, Object> properties, String key) {
    Object value = properties.get(key);
    Collection<?> parts = value instanceof Object[] array ? List.of(array)
        : value instanceof Collection<?> collection ? collection
        : value == null ? Collections.emptyList() : List.of(value);
    return parts.stream().flatMap(part -> part.toString().lines()).map(String::strip).filter(line -> !line.isEmpty());
  }

  static Trigger trigger(String line) {
    Matcher http = HTTP.matcher(line);
    if (http.matches()) {
      return new Trigger.Http(http.group(1));
    }
    Matcher mqtt = MQTT.matcher(line);
    if (!mqtt.matches()) {
      throw new InvalidFunction("triggers", line, "'mqtt FILTER qos=1 path=/' or 'http /PATH' on each line");
    }
    PromiseDraft promise = new PromiseDraft();
    Optional.ofNullable(mqtt.group("qos")).ifPresent(qos -> promise.qos = OptionalInt.of(whole("qos", qos)));
    promise.delivery = mqtt.group("delivery");
    promise.order = mqtt.group("order");
    Optional.ofNullable(mqtt.group("attempts")).ifPresent(attempts -> promise.attempts = whole("retry.attempts", attempts));
    promise.deadline = mqtt.group("deadline");
    promise.priority = mqtt.group("priority");
    return promise.trigger(filter(mqtt.group("filter")), mqtt.group("path") == null ? Defaults.PATH : mqtt.group("path"),
        fast(mqtt.group("fast")));
  }

  /** Who brings the messages; null: the gateway. */
  static boolean fast(@Nullable String value) {
    if (value != null && !value.equals(Defaults.FAST)) {
      throw new InvalidFunction("fast", value, Defaults.FAST + ", or leave it away");
    }
    return value != null;
  }

  /** MQTT allows what this refuses, but nobody means it, and it would not survive being one line of a configuration. */
  static TopicFilter filter(String value) {
    if (!value.equals(value.strip()) || value.chars().anyMatch(Character::isISOControl)) {
      throw new InvalidFunction("mqtt", value, "a filter without blanks around it and without control characters");
    }
    return new TopicFilter(value);
  }

  private static void variable(String line, Map<String, String> to) {
    int equals = line.indexOf('=');
    if (equals < 1) {
      throw new InvalidFunction("env", line, "KEY=VALUE on each line");
    }
    if (to.put(line.substring(0, equals).strip(), unescape(line.substring(equals + 1))) != null) {
      throw new InvalidFunction("env", "env: '" + line.substring(0, equals) + "' is there twice; remove one");
    }
  }

  private static String escape(String value) {
    String escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
    // Blanks at the ends would be lost with the line's own.
    return escaped.equals(escaped.strip()) ? escaped : "\\" + '"' + escaped + "\\" + '"';
  }

  private static String unescape(String value) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < value.length(); i++) {
      char next = i + 1 < value.length() ? value.charAt(i + 1) : 0;
      int escape = value.charAt(i) == '\\' ? "\\nr\"".indexOf(next) : -1;
      if (next == 0 || escape < 0) {
        plain.append(value.charAt(i));
      } else {
        plain.append(new String[] {"\\", "\n", "\r", ""}[escape]);
        i++;
      }
    }
    return plain.toString();
  }
}

package io.weir.registry.internal;

import io.weir.function.FunctionName;
import io.weir.function.InvalidFunction;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Reads a {@code weir.yaml}. Works on the node graph, so nothing is ever constructed from a tag in the text. */
final class WeirYaml {
  static final int MAX_CHARS = 1 << 20;
  private static final int MAX_DEPTH = 16;
  private static final List<String> TOP = List.of("functions");
  private static final List<String> FUNCTION = List.of("image", "runtime", "handler", "code", "port", "triggers", "output", "memory", "cpus", "pids",
      "instances", "concurrency", "idle", "rest", "priority", "timeout", "env", "service", "egress");
  private static final List<String> SERVICE = List.of("port", "from", "rate", "burst");
  private static final List<String> MQTT = List.of("mqtt", "qos", "path", "fast", "delivery", "order", "retry", "priority");
  private static final List<String> RETRY = List.of("attempts", "deadline");
  private static final List<String> HTTP = List.of("http");

  private WeirYaml() {}

  /**
   * @param files where the texts of handlers are
   * @throws YamlFault at the first thing that cannot be accepted
   */
  static List<Declaration> parse(String yaml, HandlerFiles files) {
    YamlMap top = new YamlMap("", compose(yaml));
    top.allow(TOP);
    Node functions = top.get("functions").filter(node -> !node.getTag().equals(Tag.NULL)).orElseThrow(() ->
        new YamlFault(Math.max(1, top.line("functions")), "functions is empty; write 'functions: {}' to mean none"));
    YamlMap named = new YamlMap("functions", functions);
    List<Declaration> declarations = new ArrayList<>();
    named.values().forEach((name, node) -> declarations.add(function(name, named.line(name), node, files)));
    return declarations;
  }

  private static Node compose(String yaml) {
    if (yaml.length() > MAX_CHARS) {
      throw new YamlFault(1, "the text is longer than " + MAX_CHARS + " characters; split it into several files");
    }
    LoadSettings settings = LoadSettings.builder().setLabel("weir.yaml").setUseMarks(true).build();
    try {
      requireShallow(new Parse(settings).parseString(yaml));
      return new Compose(settings).composeString(yaml).orElseThrow(() ->
          new YamlFault(1, "the text is empty; write 'functions: {}' to mean none"));
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().or(e::getContextMark).map(mark -> mark.getLine() + 1).orElse(1);
      String context = e.getContext() == null ? "" : e.getContext().strip() + ": ";
      throw new YamlFault(line, "this is not YAML: " + context + e.getProblem(), e);
    } catch (YamlEngineException e) {
      throw new YamlFault(1, "this is not YAML: " + e.getMessage(), e);
    }
  }

  /** Composing is recursive: a text of brackets alone would overflow the stack. */
  private static void requireShallow(Iterable<Event> events) {
    int depth = 0;
    for (Event event : events) {
      if (event instanceof CollectionStartEvent && ++depth > MAX_DEPTH) {
        throw new YamlFault(event.getStartMark().map(mark -> mark.getLine() + 1).orElse(1),
            "nested deeper than " + MAX_DEPTH + " levels; no weir.yaml needs that");
      } else if (event instanceof CollectionEndEvent) {
        depth--;
      }
    }
  }

  private static Declaration function(String name, int line, Node node, HandlerFiles files) {
    Map<String, Integer> lines = new HashMap<>(Map.of("name", line));
    try {
      new FunctionName(name);
      YamlMap map = new YamlMap("function", node);
      map.allow(FUNCTION);
      map.values().keySet().forEach(key -> lines.put(key, map.line(key)));
      nameHandlersLine(lines);
      Draft draft = new Draft();
      draft.name = name;
      map.text("image", value -> draft.image = value);
      map.text("runtime", value -> draft.runtime = value);
      map.text("handler", value -> draft.handler = value);
      map.text("code", value -> draft.code = value);
      map.whole("port", value -> draft.port = value);
      map.text("output", value -> draft.output = Optional.of(new TopicTemplate(value)));
      map.amount("memory", value -> draft.memory = value);
      map.decimal("cpus", value -> draft.cpus = value);
      map.whole("pids", value -> draft.pids = value);
      map.get("instances").ifPresent(value -> instances(new YamlMap("instances", value), draft, lines));
      map.whole("concurrency", value -> draft.concurrency = value);
      map.amount("idle", value -> draft.idle = value);
      map.text("rest", value -> draft.rest = value);
      map.text("priority", value -> draft.priority = value);
      map.amount("timeout", value -> draft.timeout = value);
      map.get("env").ifPresent(value -> environment(new YamlMap("env", value), draft, lines));
      map.get("service").ifPresent(value -> service(map, value, draft, lines));
      draft.egress.addAll(texts(map, "egress", "egress", lines));
      map.list("triggers").forEach(value -> draft.triggers.add(trigger(value, lines)));
      return new Declaration(draft.build(files), line, Map.copyOf(lines));
    } catch (InvalidFunction e) {
      throw new YamlFault(lineOf(e, lines, line), "function " + name + ": " + e.getMessage(), e);
    } catch (YamlFault e) {
      throw new YamlFault(e.line() == 0 ? line : e.line(), "function " + name + ": " + strip(e.getMessage()), e);
    }
  }

  /** Whoever finds fault with a handler calls it by that key, which need not be written if the code is. */
  private static void nameHandlersLine(Map<String, Integer> lines) {
    for (String key : List.of("code", "runtime")) {
      if (lines.containsKey(key)) {
        lines.putIfAbsent("handler", lines.get(key));
      }
    }
  }

  /** A key of the function itself needs no path in front of it. */
  private static String strip(String message) {
    return message.startsWith("function.") ? message.substring("function.".length())
        : message.startsWith("function: ") ? message.substring("function: ".length())
        : message.startsWith("function must be") ? "it" + message.substring("function".length()) : message;
  }

  /** One of several values is named only in the message; its own line was noted as, for example, {@code env.NAME}. */
  private static int lineOf(InvalidFunction fault, Map<String, Integer> lines, int otherwise) {
    String key = fault.key() + ".";
    return lines.entrySet().stream().filter(entry -> entry.getKey().startsWith(key)
        && fault.getMessage().startsWith(fault.key() + ": '" + entry.getKey().substring(key.length()) + "'"))
        .map(Map.Entry::getValue).findFirst().orElseGet(() -> lines.getOrDefault(fault.key(), otherwise));
  }

  private static void instances(YamlMap map, Draft draft, Map<String, Integer> lines) {
    map.allow(List.of("min", "max"));
    map.values().keySet().forEach(key -> lines.put("instances." + key, map.line(key)));
    lines.putIfAbsent("instances.min", lines.get("instances"));
    lines.putIfAbsent("instances.max", lines.get("instances"));
    map.whole("min", value -> draft.minInstances = value);
    map.whole("max", value -> draft.maxInstances = value);
  }

  /** A port alone, or all of what there is to say about the service address. */
  private static void service(YamlMap function, Node node, Draft draft, Map<String, Integer> lines) {
    List.of("port", "from", "rate", "burst").forEach(key -> lines.put("service." + key, lines.get("service")));
    if (node instanceof ScalarNode) {
      function.whole("service", value -> draft.servicePort = OptionalInt.of(value));
      return;
    }
    YamlMap map = new YamlMap("service", node);
    map.allow(SERVICE);
    map.values().keySet().forEach(key -> lines.put("service." + key, map.line(key)));
    map.whole("port", value -> draft.servicePort = OptionalInt.of(value));
    draft.serviceFrom.addAll(texts(map, "from", "service.from", lines));
    map.whole("rate", value -> draft.serviceRate = value);
    map.whole("burst", value -> draft.serviceBurst = value);
  }

  private static List<String> texts(YamlMap map, String key, String path, Map<String, Integer> lines) {
    List<String> texts = new ArrayList<>();
    for (Node node : map.list(key)) {
      if (!(node instanceof ScalarNode scalar) || scalar.getTag().equals(Tag.NULL)) {
        throw new YamlFault(YamlMap.line(node), path + ": each entry must be text, for example 10.0.0.0/8");
      }
      texts.add(scalar.getValue());
      lines.putIfAbsent(path + "." + scalar.getValue(), YamlMap.line(node));
    }
    return texts;
  }

  private static void environment(YamlMap map, Draft draft, Map<String, Integer> lines) {
    map.values().keySet().forEach(key -> {
      lines.put("env." + key, map.line(key));
      draft.env.put(key, map.written(key));
    });
  }

  private static Trigger trigger(Node node, Map<String, Integer> lines) {
    YamlMap map = new YamlMap("trigger", node);
    boolean mqtt = map.has("mqtt");
    boolean http = map.has("http");
    if (mqtt && http) {
      throw new YamlFault(map.line("http"), "trigger: either mqtt or http; begin another entry with '-'");
    }
    if (!mqtt && !http) {
      map.allow(Stream.concat(MQTT.stream(), HTTP.stream()).toList());
      throw new YamlFault(YamlMap.line(node), "trigger: needs 'mqtt: FILTER' or 'http: /PATH'");
    }
    map.allow(mqtt ? MQTT : HTTP);
    map.get("mqtt").filter(value -> value.getTag().equals(Tag.NULL)).ifPresent(value -> {
      throw new YamlFault(map.line("mqtt"), "trigger.mqtt is empty; a filter that begins with '#' needs quotes: '#'");
    });
    try {
      return mqtt ? mqtt(map, lines) : http(map, lines);
    } catch (InvalidFunction e) {
      throw new YamlFault(lineOf(e.key(), map, mqtt ? "mqtt" : "http"), "trigger." + e.getMessage(), e);
    }
  }

  /** A key such as {@code retry.attempts} lies one mapping deeper. */
  private static int lineOf(String key, YamlMap trigger, String otherwise) {
    int dot = key.indexOf('.');
    String outer = dot < 0 ? key : key.substring(0, dot);
    if (dot > 0 && trigger.get(outer).orElse(null) instanceof MappingNode inner) {
      int line = new YamlMap(outer, inner).line(key.substring(dot + 1));
      return line > 0 ? line : trigger.line(outer);
    }
    return trigger.line(trigger.has(outer) ? outer : otherwise);
  }

  private static Trigger mqtt(YamlMap map, Map<String, Integer> lines) {
    String[] texts = {"", Defaults.PATH};
    PromiseDraft promise = new PromiseDraft();
    map.text("mqtt", value -> texts[0] = value);
    map.whole("qos", value -> promise.qos = OptionalInt.of(value));
    map.text("path", value -> texts[1] = value);
    boolean[] fast = new boolean[1];
    map.text("fast", value -> fast[0] = FunctionProperties.fast(value));
    map.text("delivery", value -> promise.delivery = value);
    map.text("order", value -> promise.order = value);
    map.text("priority", value -> promise.priority = value);
    map.get("retry").ifPresent(value -> retry(new YamlMap("trigger.retry", value), promise));
    if (fast[0]) {
      lines.putIfAbsent("fast", map.line("fast"));
    }
    return promise.trigger(FunctionProperties.filter(texts[0]), texts[1], fast[0]);
  }

  private static void retry(YamlMap map, PromiseDraft promise) {
    map.allow(RETRY);
    map.whole("attempts", value -> promise.attempts = value);
    map.amount("deadline", value -> promise.deadline = value);
  }

  private static Trigger http(YamlMap map, Map<String, Integer> lines) {
    String[] path = {""};
    map.text("http", value -> path[0] = value);
    lines.put("http " + path[0], map.line("http"));
    return new Trigger.Http(path[0]);
  }
}

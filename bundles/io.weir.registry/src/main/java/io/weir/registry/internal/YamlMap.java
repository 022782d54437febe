package io.weir.registry.internal;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** A mapping of a YAML text that knows the line of each key, and complains about what it does not expect. */
final class YamlMap {
  private final String path;
  private final Map<String, Node> values = new LinkedHashMap<>();
  private final Map<String, Integer> lines = new LinkedHashMap<>();

  /** @param path what the mapping is called in messages; empty at the top */
  YamlMap(String path, Node node) {
    this.path = path;
    if (!(node instanceof MappingNode mapping)) {
      throw new YamlFault(line(node), name() + " must be a mapping of keys to values, but is " + kind(node));
    }
    for (NodeTuple tuple : mapping.getValue()) {
      add(tuple);
    }
  }

  private void add(NodeTuple tuple) {
    int line = line(tuple.getKeyNode());
    if (!(tuple.getKeyNode() instanceof ScalarNode scalar)) {
      throw new YamlFault(line, name() + ": a key must be a word, but is " + kind(tuple.getKeyNode()));
    }
    Integer before = lines.putIfAbsent(scalar.getValue(), line);
    if (before != null) {
      throw new YamlFault(line, at(scalar.getValue()) + " is there twice, first on line " + before + "; remove one");
    }
    values.put(scalar.getValue(), tuple.getValueNode());
  }

  /** @throws YamlFault at the first key that is not one of these */
  void allow(List<String> keys) {
    for (Map.Entry<String, Integer> key : lines.entrySet()) {
      if (!keys.contains(key.getKey())) {
        String hint = Spelling.nearest(key.getKey(), keys).map(near -> "; did you mean '" + near + "'?")
            .orElse("; allowed are " + String.join(", ", keys));
        throw new YamlFault(key.getValue(), name() + ": unknown key '" + key.getKey() + "'" + hint);
      }
    }
  }

  Map<String, Node> values() {
    return values;
  }

  boolean has(String key) {
    return values.containsKey(key);
  }

  /** The line of a key; 0 if it is not there. */
  int line(String key) {
    return lines.getOrDefault(key, 0);
  }

  /** How messages call a key, for example {@code instances.max}. */
  String at(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  private String name() {
    return path.isEmpty() ? "the text" : path;
  }

  Optional<Node> get(String key) {
    return Optional.ofNullable(values.get(key));
  }

  void text(String key, Consumer<String> to) {
    get(key).ifPresent(node -> to.accept(scalar(key, node, "text", Tag.STR)));
  }

  /** Text, or a bare number. */
  void amount(String key, Consumer<String> to) {
    get(key).ifPresent(node -> to.accept(scalar(key, node, "a number with a unit", Tag.STR, Tag.INT)));
  }

  void whole(String key, Consumer<Integer> to) {
    get(key).ifPresent(node -> {
      String text = scalar(key, node, "a whole number", Tag.INT);
      to.accept(FunctionProperties.whole(key, text));
    });
  }

  void decimal(String key, Consumer<Double> to) {
    get(key).ifPresent(node ->
        to.accept(FunctionProperties.decimal(key, scalar(key, node, "a number", Tag.INT, Tag.FLOAT))));
  }

  /** Any single value, as it is written. */
  String written(String key) {
    return scalar(key, values.get(key), "text, a number, true or false", Tag.STR, Tag.INT, Tag.FLOAT, Tag.BOOL);
  }

  List<Node> list(String key) {
    Node node = values.get(key);
    if (node == null) {
      return List.of();
    }
    if (!(node instanceof SequenceNode sequence)) {
      throw new YamlFault(line(key), at(key) + " must be a list, each entry on a line of its own that begins with '-', "
          + "but is " + kind(node));
    }
    return sequence.getValue();
  }

  private String scalar(String key, Node node, String expected, Tag... tags) {
    if (node instanceof ScalarNode scalar && List.of(tags).contains(scalar.getTag())) {
      return scalar.getValue();
    }
    boolean quotable = expected.equals("text") && node instanceof ScalarNode && !node.getTag().equals(Tag.NULL);
    throw new YamlFault(line(key), at(key) + " must be " + expected + ", but is " + kind(node)
        + (quotable ? "; put it in quotes" : ""));
  }

  static int line(Node node) {
    return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
  }

  private static String kind(Node node) {
    if (node instanceof MappingNode) {
      return "a mapping";
    }
    if (node instanceof SequenceNode) {
      return "a list";
    }
    String value = node instanceof ScalarNode scalar ? scalar.getValue() : "";
    if (node.getTag().equals(Tag.NULL)) {
      return "empty";
    }
    String shown = "'" + (value.length() > 40 ? value.substring(0, 40) + "…" : value) + "'";
    return node.getTag().equals(Tag.STR) ? "the text " + shown : shown;
  }
}

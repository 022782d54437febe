package io.weir.function;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Everything the gateway knows about one function. Immutable and valid: a value of this type can be run.
 *
 * @param name unique in the gateway
 * @param source where its program comes from
 * @param port TCP port in the container on which the function serves HTTP
 * @param triggers what makes it run, besides HTTP requests to {@code /function/NAME/}
 * @param output where answers to MQTT events go when the event names no response topic
 * @param limits what one instance may use
 * @param scaling how many instances there are
 * @param timeout from the moment an instance has the request to the end of its answer, 100 ms to 1 h
 * @param environment environment variables of the container
 * @param network who may talk with it
 */
public record FunctionSpec(FunctionName name, Source source, int port, List<Trigger> triggers,
    Optional<TopicTemplate> output, Limits limits, Scaling scaling, Duration timeout,
    Map<String, String> environment, Network network) {

  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  /** With the default network. */
  public FunctionSpec(FunctionName name, Source source, int port, List<Trigger> triggers, Optional<TopicTemplate> output,
      Limits limits, Scaling scaling, Duration timeout, Map<String, String> environment) {
    this(name, source, port, triggers, output, limits, scaling, timeout, environment, Network.DEFAULT);
  }

  /** @throws InvalidFunction if a value, or their combination, is not allowed */
  public FunctionSpec {
    if (port < 1 || port > 65_535) {
      throw new InvalidFunction("port", port, "1..65535");
    }
    if (timeout.compareTo(Duration.ofMillis(100)) < 0 || timeout.compareTo(Duration.ofHours(1)) > 0) {
      throw new InvalidFunction("timeout", timeout, "100ms..1h");
    }
    environment.forEach((key, value) -> {
      if (!VARIABLE.matcher(key).matches() || value.indexOf('\0') >= 0) {
        throw new InvalidFunction("env", key, "letters, digits and '_', not beginning with a digit");
      }
    });
    triggers = List.copyOf(triggers);
    environment = Map.copyOf(environment);
    requirePlaceholdersMatched(output, triggers);
    requireFastAlone(output, triggers);
  }

  /** The kernel has no answers to publish, and a message that came both ways would be two. */
  private static void requireFastAlone(Optional<TopicTemplate> output, List<Trigger> triggers) {
    for (Trigger trigger : triggers) {
      if (trigger instanceof Trigger.Mqtt fast && fast.fast()) {
        if (output.isPresent()) {
          throw new InvalidFunction("output", "output: excludes fast: kernel of trigger '" + fast.filter()
              + "', which drops what the function answers; remove one of them");
        }
        if (triggers.stream().anyMatch(other -> other != trigger && other instanceof Trigger.Mqtt mqtt
            && mqtt.filter().match(fast.filter().value()).isPresent())) {
          throw new InvalidFunction("fast", "fast: topic '" + fast.filter()
              + "' matches another trigger of the function, too; leave fast away, or make the filters distinct");
        }
      }
    }
  }

  private static void requirePlaceholdersMatched(Optional<TopicTemplate> output, List<Trigger> triggers) {
    int needed = output.map(TopicTemplate::placeholders).orElse(0);
    for (Trigger trigger : triggers) {
      if (trigger instanceof Trigger.Mqtt mqtt && mqtt.filter().wildcards() < needed) {
        throw new InvalidFunction("output", "output: '" + output.get() + "' uses {" + needed + "}, but trigger '"
            + mqtt.filter() + "' has " + mqtt.filter().wildcards() + " wildcards; use at most that many placeholders");
      }
    }
  }

  /** The MQTT triggers, in the order they were written. */
  public Stream<Trigger.Mqtt> mqttTriggers() {
    return triggers.stream().filter(Trigger.Mqtt.class::isInstance).map(Trigger.Mqtt.class::cast);
  }

  /** The HTTP triggers, in the order they were written. */
  public Stream<Trigger.Http> httpTriggers() {
    return triggers.stream().filter(Trigger.Http.class::isInstance).map(Trigger.Http.class::cast);
  }

  /**
   * Twelve hex digits that change exactly when a running container would have to be replaced: with the source, port,
   * limits or environment, not with triggers or scaling.
   */
  public String revision() {
    // No value has a NUL, so no two environments read the same.
    String variables = new TreeMap<>(environment).entrySet().stream()
        .map(variable -> variable.getKey() + "=" + variable.getValue()).collect(Collectors.joining("\0"));
    String program = source instanceof Source.Handler handler ? handler + "\0" + handler.code() : source.toString();
    String text = String.join("\n", program, Integer.toString(port), limits.toString(), variables);
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}

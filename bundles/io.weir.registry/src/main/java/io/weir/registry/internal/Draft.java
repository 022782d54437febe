package io.weir.registry.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidFunction;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Network;
import io.weir.function.Priority;
import io.weir.function.Rung;
import io.weir.function.Scaling;
import io.weir.function.Source;
import io.weir.function.TopicTemplate;
import io.weir.function.Trigger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** A function while its values are read, filled with the defaults. */
final class Draft {
  String name = "";
  String image = "";
  String runtime = "";
  String handler = "";
  String code = "";
  int port = Defaults.PORT;
  List<Trigger> triggers = new ArrayList<>();
  Optional<TopicTemplate> output = Optional.empty();
  String memory = Defaults.MEMORY;
  double cpus = Defaults.CPUS;
  int pids = Defaults.PIDS;
  int minInstances = Defaults.MIN_INSTANCES;
  int maxInstances = Defaults.MAX_INSTANCES;
  int concurrency = Defaults.CONCURRENCY;
  String idle = Defaults.IDLE;
  String rest = Defaults.REST;
  String priority = Defaults.PRIORITY;
  String timeout = Defaults.TIMEOUT;
  Map<String, String> env = new LinkedHashMap<>();
  OptionalInt servicePort = OptionalInt.empty();
  List<String> serviceFrom = new ArrayList<>();
  int serviceRate = Defaults.SERVICE_RATE;
  int serviceBurst = Defaults.SERVICE_BURST;
  List<String> egress = new ArrayList<>();

  /**
   * @param files where the handler's text is if it was not written as code
   * @throws InvalidFunction if a value is out of range
   */
  FunctionSpec build(HandlerFiles files) {
    FunctionName functionName = new FunctionName(name);
    requireDistinct(triggers);
    return new FunctionSpec(functionName, source(files), port, triggers, output,
        new Limits(Units.bytes("memory", memory), cpus, pids),
        new Scaling(minInstances, maxInstances, concurrency, Units.duration("idle", idle), rung(),
            Priority.of(priority)),
        Units.duration("timeout", timeout), env,
        new Network(servicePort, serviceFrom, serviceRate, serviceBurst, egress));
  }

  private Source source(HandlerFiles files) {
    if (runtime.isEmpty()) {
      requireImageAlone();
      return new Source.Image(image);
    }
    if (!image.isEmpty()) {
      throw new InvalidFunction("runtime", "runtime: excludes image; remove one of them");
    }
    Language language = Language.of(runtime);
    String file = handler.isEmpty() ? defaultFile(language) : handler;
    // Its name is checked before anything is read by it: it could name a file that is none of the function's business.
    new Source.Handler(language, file, "-");
    if (code.isEmpty() && handler.isEmpty()) {
      throw new InvalidFunction("handler", "handler: is missing; name a file beside the weir.yaml, for example " + file
          + ", or write the program as code");
    }
    return new Source.Handler(language, file, code.isEmpty() ? files.read(file) : code);
  }

  private void requireImageAlone() {
    if (!handler.isEmpty() || !code.isEmpty()) {
      String key = handler.isEmpty() ? "code" : "handler";
      throw new InvalidFunction(key, key + ": needs a runtime; say which language it is with runtime: python, node or "
          + "java");
    }
    if (image.isEmpty()) {
      throw new InvalidFunction("image", "image: is missing; name the container image, for example "
          + "localhost/thermo-alert:1, or a runtime and a handler");
    }
  }

  private static String defaultFile(Language language) {
    return (language == Language.JAVA ? "Handler" : "handler") + language.suffix();
  }

  private Optional<Rung> rung() {
    if (rest.equals(Defaults.REST)) {
      return Optional.empty();
    }
    Rung rung;
    try {
      rung = Rung.of("rest", rest);
    } catch (InvalidFunction e) {
      throw new InvalidFunction("rest", rest, "auto, image, created, armed, frozen or running");
    }
    if (!runtime.isEmpty() && (rung == Rung.CREATED || rung == Rung.ARMED)) {
      throw new InvalidFunction("rest", rest, "auto, image, frozen or running; a runner is preloaded, so that it cannot "
          + "rest where no program was started yet");
    }
    return Optional.of(rung);
  }

  private static void requireDistinct(List<Trigger> triggers) {
    Set<String> seen = new HashSet<>();
    for (Trigger trigger : triggers) {
      String what = trigger instanceof Trigger.Mqtt mqtt ? mqtt.filter().value() : ((Trigger.Http) trigger).path();
      if (!seen.add(what)) {
        throw new InvalidFunction("triggers", "triggers: '" + what + "' is there twice; remove one");
      }
    }
  }
}

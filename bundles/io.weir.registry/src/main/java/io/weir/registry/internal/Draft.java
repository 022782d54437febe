package io.weir.registry.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidFunction;
import io.weir.function.Limits;
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
import java.util.Set;

/** A function while its values are read, filled with the defaults. */
final class Draft {
  String name = "";
  String image = "";
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
  String timeout = Defaults.TIMEOUT;
  Map<String, String> env = new LinkedHashMap<>();

  /** @throws InvalidFunction if a value is out of range */
  FunctionSpec build() {
    FunctionName functionName = new FunctionName(name);
    if (image.isEmpty()) {
      throw new InvalidFunction("image", "image: is missing; name the container image, for example "
          + "localhost/thermo-alert:1");
    }
    requireDistinct(triggers);
    return new FunctionSpec(functionName, new Source.Image(image), port, triggers, output,
        new Limits(Units.bytes("memory", memory), cpus, pids),
        new Scaling(minInstances, maxInstances, concurrency, Units.duration("idle", idle)),
        Units.duration("timeout", timeout), env);
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

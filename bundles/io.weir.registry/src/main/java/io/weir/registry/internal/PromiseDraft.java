package io.weir.registry.internal;

import io.weir.function.Promise;
import io.weir.function.Promise.Level;
import io.weir.function.TopicFilter;
import io.weir.function.Trigger;
import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** What an MQTT trigger promises, while its values are read. Quality of service and level follow from each other. */
final class PromiseDraft {
  OptionalInt qos = OptionalInt.empty();
  @Nullable String delivery;
  @Nullable String order;
  int attempts = Promise.Retry.DEFAULT.attempts();
  @Nullable String deadline;
  @Nullable String priority;

  /** @throws io.weir.function.InvalidFunction if a value, or their combination, is not allowed */
  Trigger.Mqtt trigger(TopicFilter filter, String path, boolean fast) {
    int asked = qos.orElse(Defaults.QOS);
    Level level = delivery == null ? Level.of(asked) : Level.of(delivery);
    int agreed = qos.isEmpty() && delivery != null ? level.qos() : asked;
    Duration until = deadline == null ? Promise.Retry.DEFAULT.deadline() : Units.duration("retry.deadline", deadline);
    return new Trigger.Mqtt(filter, agreed, path, fast, new Promise(level,
        order == null ? Promise.Order.TOPIC : Promise.Order.of(order), new Promise.Retry(attempts, until),
        priority == null ? Promise.Urgency.NORMAL : Promise.Urgency.of(priority)));
  }
}

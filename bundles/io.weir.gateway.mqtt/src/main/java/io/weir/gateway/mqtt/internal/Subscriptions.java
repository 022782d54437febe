package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a session's subscriptions at the broker to what its function wants.
 *
 * <p>Thread-safe: the monitor lets one reconciliation after the other through, each with the newest target, and may be
 * held for as long as writing takes. The reading thread must not wait for that, so answers are handled by a writer.
 */
final class Subscriptions {
  private static final Logger LOG = LoggerFactory.getLogger(Subscriptions.class);
  /** Send what the broker retains only for a new subscription, not for each connection. */
  private static final int RETAINED_IF_NEW = 1;

  /** What to subscribe to, and where. */
  record Target(MqttConnection connection, FunctionSpec function) {}

  private final Context context;
  private final FunctionName name;
  private final Predicate<Trigger.Mqtt> kind;
  private final BiConsumer<MqttConnection, String> done;
  private long newest;

  /**
   * @param kind the triggers it is about
   * @param done told of every end, with what is wrong or an empty text
   */
  Subscriptions(Context context, FunctionName name, Predicate<Trigger.Mqtt> kind,
      BiConsumer<MqttConnection, String> done) {
    this.context = context;
    this.name = name;
    this.kind = kind;
    this.done = done;
  }

  /** The broker has a new session without subscriptions. */
  synchronized void forgotten() {
    context.files().save(name, Set.of());
  }

  /** @param newestTarget asked when it is this one's turn; null if there is nothing to do any more */
  synchronized void reconcile(Supplier<@Nullable Target> newestTarget) {
    Target target = newestTarget.get();
    if (target == null) {
      return;
    }
    Map<String, Integer> filters = Filters.of(target.function(), kind);
    Set<String> obsolete = context.files().filters(name);
    obsolete.removeAll(filters.keySet());
    Set<String> both = new TreeSet<>(obsolete);
    both.addAll(filters.keySet());
    context.files().save(name, both);

    CompletableFuture<int[]> removed = obsolete.isEmpty() ? CompletableFuture.completedFuture(new int[0])
        : target.connection().unsubscribe(List.copyOf(obsolete));
    long mine = ++newest;
    CompletableFuture<int[]> subscribed = filters.isEmpty() ? CompletableFuture.completedFuture(new int[0])
        : target.connection().subscribe(filters.entrySet().stream().map(Subscriptions::subscription).toList());
    subscribed.thenCombine(removed, (granted, ignored) -> granted)
        .thenAccept(granted -> context.write(() -> confirmed(mine, target.connection(), filters, granted)));
  }

  private static MqttSubscription subscription(Map.Entry<String, Integer> filter) {
    MqttSubscription subscription = new MqttSubscription(filter.getKey(), filter.getValue());
    subscription.setRetainHandling(RETAINED_IF_NEW);
    subscription.setNoLocal(true);  // what a function answers does not call it again
    return subscription;
  }

  private synchronized void confirmed(long which, MqttConnection connection, Map<String, Integer> filters,
      int[] granted) {
    if (which != newest) {
      return;
    }
    context.files().save(name, new TreeSet<>(filters.keySet()));
    List<String> refused = new ArrayList<>();
    int at = 0;
    for (Map.Entry<String, Integer> filter : filters.entrySet()) {
      int reason = granted[at++];
      if (reason >= Reasons.REFUSED) {
        refused.add(filter.getKey() + ": " + Reasons.text(reason));
      } else if (reason < filter.getValue()) {
        LOG.warn("{}: the broker grants {} QoS {} only, not {}; messages may be lost or come twice", name,
            filter.getKey(), reason, filter.getValue());
      }
    }
    done.accept(connection, refused.isEmpty() ? ""
        : "the broker refuses the subscription to " + String.join(", to ", refused));
  }
}

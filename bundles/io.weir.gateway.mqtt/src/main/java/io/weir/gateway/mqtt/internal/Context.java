package io.weir.gateway.mqtt.internal;

import io.weir.broker.Broker;
import io.weir.event.Events;
import io.weir.invocation.Invoker;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What all sessions share.
 *
 * @param timer must not be blocked: it also cuts connections on which somebody else is
 * @param writer may be blocked, by writing to the broker
 */
record Context(Broker broker, Invoker invoker, Events events, ScheduledExecutorService timer, Executor writer,
    Settings settings, String gatewayId, SessionFiles files) {

  /** Runs what may block, soon; not at all if the gateway ends. */
  void write(Runnable task) {
    try {
      writer.execute(task);
    } catch (RejectedExecutionException e) {
      // The broker keeps what was not done.
    }
  }
}

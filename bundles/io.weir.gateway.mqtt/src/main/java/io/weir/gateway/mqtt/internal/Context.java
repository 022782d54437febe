package io.weir.gateway.mqtt.internal;

import io.weir.broker.Broker;
import io.weir.event.Events;
import io.weir.invocation.Invoker;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What all sessions share.
 *
 * @param timer must not be blocked: it also cuts connections on which somebody else is
 * @param writer may be blocked, by writing to the broker
 * @param durable who keeps promises, if somebody does
 * @param listeners who else hears of answers
 */
record Context(Broker broker, Invoker invoker, Events events, ScheduledExecutorService timer, Executor writer,
    Settings settings, String gatewayId, SessionFiles files, Durable durable, Listeners listeners) {

  MqttConnection connect(MqttConnection.Options options, BrokerSocket.Opening opening) throws IOException {
    return new MqttConnection(options, this::write, opening, invoker::afterwards);
  }

  /** The same with other files. */
  Context with(SessionFiles others) {
    return new Context(broker, invoker, events, timer, writer, settings, gatewayId, others, durable, listeners);
  }

  /** Runs what may block, soon; not at all if the gateway ends. */
  void write(Runnable task) {
    try {
      writer.execute(task);
    } catch (RejectedExecutionException e) {
      // The broker keeps what was not done.
    }
  }
}
